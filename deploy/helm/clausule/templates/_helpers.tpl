{{- define "clausule.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 42 | trimSuffix "-" -}}
{{- end -}}

{{/* At most 42 characters: the controller allows a CronJob's name 52, and "-residency" takes 10 of them. */}}
{{- define "clausule.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 42 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 42 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 42 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "clausule.selectorLabels" -}}
app.kubernetes.io/name: {{ include "clausule.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "clausule.labels" -}}
{{ include "clausule.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "clausule.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "clausule.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{/* Cluster-wide names carry the namespace, so that two releases of one name do not meet. */}}
{{- define "clausule.clusterRoleName" -}}
{{- printf "%s-%s" .Release.Namespace (include "clausule.fullname" .) -}}
{{- end -}}

{{/* "true" when this cluster is audited, so that the pods need its API. */}}
{{- define "clausule.inCluster" -}}
{{- if dig "kubernetes" "in_cluster" false .Values.config }}true{{ end -}}
{{- end -}}

{{- define "clausule.image" -}}
{{- $tagged := printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) -}}
{{- if .Values.image.digest }}{{ printf "%s@%s" $tagged .Values.image.digest }}{{ else }}{{ $tagged }}{{ end -}}
{{- end -}}

{{- define "clausule.storePath" -}}/var/lib/clausule{{- end -}}

{{- define "clausule.claimName" -}}
{{- default (printf "%s-store" (include "clausule.fullname" .)) .Values.store.volume.existingClaim -}}
{{- end -}}

{{/* clausule.yaml: JSON is YAML, and leaves no word that a reader of YAML could take for something else. */}}
{{- define "clausule.config" -}}
{{- $store := default (include "clausule.storePath" .) .Values.store.url -}}
{{- $config := merge (dict "version" 1 "store" $store) (deepCopy .Values.config) -}}
{{- $registers := default dict $config.registers -}}
{{- if .Values.registers.transfer -}}
{{- $own := list "/etc/clausule/transfers.yaml" -}}
{{- $registers = merge (dict "transfer" (concat (default list $registers.transfer) $own)) $registers -}}
{{- end -}}
{{- if .Values.registers.restoreDrill -}}
{{- $own := list "/etc/clausule/restore-drills.yaml" -}}
{{- $registers = merge (dict "restore_drill" (concat (default list $registers.restore_drill) $own)) $registers -}}
{{- end -}}
{{- if $registers }}{{ $_ := set $config "registers" $registers }}{{ end -}}
{{- toPrettyJson $config -}}
{{- end -}}

{{/* Two pods can write to a ReadWriteOnce volume only from one node. */}}
{{- define "clausule.affinity" -}}
{{- if .Values.affinity -}}
{{- toYaml .Values.affinity -}}
{{- else if and (not .Values.store.url) (eq .Values.store.volume.accessMode "ReadWriteOnce") -}}
podAffinity:
  requiredDuringSchedulingIgnoredDuringExecution:
    - topologyKey: kubernetes.io/hostname
      labelSelector:
        matchLabels:
          {{- include "clausule.selectorLabels" . | nindent 10 }}
{{- end -}}
{{- end -}}
