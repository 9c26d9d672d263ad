{{/* A CronJob. Takes a dict: root, name (audit, residency), job (its values). */}}
{{- define "clausule.cronjob" -}}
{{- $root := .root -}}
apiVersion: batch/v1
kind: CronJob
metadata:
  name: {{ include "clausule.fullname" $root }}-{{ .name }}
  namespace: {{ $root.Release.Namespace }}
  labels:
    {{- include "clausule.labels" $root | nindent 4 }}
    app.kubernetes.io/component: {{ .name }}
spec:
  schedule: {{ .job.schedule | quote }}
  {{- with $root.Values.timeZone }}
  timeZone: {{ . | quote }}
  {{- end }}
  concurrencyPolicy: Forbid
  suspend: {{ .job.suspend }}
  startingDeadlineSeconds: {{ .job.startingDeadlineSeconds | int64 }}
  successfulJobsHistoryLimit: {{ .job.successfulJobsHistoryLimit | int64 }}
  failedJobsHistoryLimit: {{ .job.failedJobsHistoryLimit | int64 }}
  jobTemplate:
    metadata:
      labels:
        {{- include "clausule.labels" $root | nindent 8 }}
        app.kubernetes.io/component: {{ .name }}
    spec:
      backoffLimit: {{ .job.backoffLimit | int64 }}
      activeDeadlineSeconds: {{ .job.activeDeadlineSeconds | int64 }}
      template:
        metadata:
          labels:
            {{- merge (dict "app.kubernetes.io/component" .name) (include "clausule.labels" $root | fromYaml) $root.Values.podLabels | toYaml | nindent 12 }}
          {{- with $root.Values.podAnnotations }}
          annotations:
            {{- toYaml . | nindent 12 }}
          {{- end }}
        spec:
          {{- include "clausule.pod" . | nindent 10 }}
{{- end -}}

{{- define "clausule.pod" -}}
{{- $root := .root -}}
restartPolicy: Never
serviceAccountName: {{ include "clausule.serviceAccountName" $root }}
automountServiceAccountToken: {{ include "clausule.inCluster" $root | eq "true" }}
enableServiceLinks: false
{{- with $root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
containers:
  - name: clausule
    image: {{ include "clausule.image" $root | quote }}
    imagePullPolicy: {{ $root.Values.image.pullPolicy }}
    args:
      {{- include "clausule.args" . | nindent 6 }}
    env:
      - name: HOME
        value: /tmp
      {{- range $name, $value := $root.Values.env }}
      - name: {{ $name }}
        value: {{ $value | quote }}
      {{- end }}
      {{- range $name, $from := $root.Values.secretEnv }}
      - name: {{ $name }}
        valueFrom:
          secretKeyRef:
            name: {{ $from.secret }}
            key: {{ $from.key }}
      {{- end }}
    {{- with $root.Values.envFromSecrets }}
    envFrom:
      {{- range . }}
      - secretRef:
          name: {{ . }}
      {{- end }}
    {{- end }}
    securityContext:
      allowPrivilegeEscalation: false
      readOnlyRootFilesystem: true
      capabilities:
        drop: [ALL]
    {{- with .job.resources }}
    resources:
      {{- toYaml . | nindent 6 }}
    {{- end }}
    volumeMounts:
      - name: config
        mountPath: /etc/clausule
        readOnly: true
      - name: scratch
        mountPath: /tmp
      {{- if not $root.Values.store.url }}
      - name: store
        mountPath: {{ include "clausule.storePath" $root }}
      {{- end }}
      {{- with $root.Values.extraVolumeMounts }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
volumes:
  - name: config
    configMap:
      name: {{ include "clausule.fullname" $root }}
  - name: scratch
    emptyDir:
      sizeLimit: {{ $root.Values.scratch.sizeLimit }}
  {{- if not $root.Values.store.url }}
  - name: store
    persistentVolumeClaim:
      claimName: {{ include "clausule.claimName" $root }}
  {{- end }}
  {{- with $root.Values.extraVolumes }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with $root.Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with include "clausule.affinity" $root }}
affinity:
  {{- . | nindent 2 }}
{{- end }}
{{- with $root.Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* The metrics file lies on the volume; with a bucket, metrics are rendered from the stored run. */}}
{{- define "clausule.args" -}}
- audit
- --config=/etc/clausule/clausule.yaml
{{- range .job.clauses }}
- --clause={{ . }}
{{- end }}
{{- range .job.formats }}
- --format={{ . }}
{{- end }}
- --language={{ .job.language }}
{{- if not .root.Values.store.url }}
- --metrics-file={{ include "clausule.storePath" .root }}/metrics/{{ .name }}/clausule.prom
{{- end }}
- --exit-zero
- --no-progress
{{- end -}}
