{{/* Two alerts on a job's last success: too old, and never seen. Takes a dict: alert, absent, what, job, age, for. */}}
{{- define "clausule.freshness" -}}
- alert: {{ .alert }}
  expr: time() - max by (job) (clausule_run_last_success_timestamp_seconds{job={{ .job | quote }}}) > {{ .age | int64 }}
  labels:
    severity: warning
  annotations:
    summary: "The last {{ .what }} is too old"
    description: "No {{ .what }} could be done for {{`{{ $value | humanizeDuration }}`}}. Look at the CronJob's last Job and its log; until it runs, nothing new is seen."
- alert: {{ .absent }}
  expr: absent(clausule_run_last_success_timestamp_seconds{job={{ .job | quote }}})
  for: {{ .for }}
  labels:
    severity: warning
  annotations:
    summary: "There are no metrics of the {{ .what }}"
    description: "It has never run, or its metrics do not reach Prometheus; silence is not a clean audit."
{{- end -}}
