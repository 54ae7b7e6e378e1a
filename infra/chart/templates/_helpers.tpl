{{- define "causeway.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "causeway.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "causeway.labels" -}}
{{ include "causeway.selector" . }}
app.kubernetes.io/version: {{ .Values.image.tag | default .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "causeway.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{/* What the gateway and its check are told; secrets stand in files. */}}
{{- define "causeway.env" -}}
- name: CAUSEWAY_PUBLIC_URL
  value: {{ .Values.publicUrl | quote }}
- name: CAUSEWAY_LISTEN
  value: 0.0.0.0:8080
{{- if .Values.metrics.enabled }}
- name: CAUSEWAY_ADMIN_LISTEN
  value: 0.0.0.0:{{ .Values.metrics.port }}
{{- end }}
- name: CAUSEWAY_SECRET_FILE
  value: /run/secrets/causeway/{{ .Values.secret.keys.sealing }}
{{- if .Values.gpts }}
- name: CAUSEWAY_CONFIG
  value: /etc/causeway/gpts.toml
{{- else }}
- name: CAUSEWAY_CLIENT_ID
  value: {{ .Values.clientId | quote }}
- name: CAUSEWAY_CLIENT_SECRET_FILE
  value: /run/secrets/causeway/{{ .Values.secret.keys.client }}
{{- end }}
- name: ATLASSIAN_CLIENT_ID
  value: {{ .Values.atlassianClientId | quote }}
- name: ATLASSIAN_CLIENT_SECRET_FILE
  value: /run/secrets/causeway/{{ .Values.secret.keys.atlassian }}
{{- if not (hasKey .Values.env "CAUSEWAY_LOG_FORMAT") }}
- name: CAUSEWAY_LOG_FORMAT
  value: json
{{- end }}
{{- with .Values.trustedProxies }}
- name: CAUSEWAY_TRUSTED_PROXIES
  value: {{ join "," . | quote }}
{{- end }}
{{- if .Values.caBundle.configMap }}
- name: SSL_CERT_FILE
  value: /etc/causeway-ca/{{ .Values.caBundle.key }}
{{- end }}
{{- range $name, $value := .Values.env }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- end }}

{{- define "causeway.volumeMounts" -}}
- name: secrets
  mountPath: /run/secrets/causeway
  readOnly: true
{{- if .Values.gpts }}
- name: gpts
  mountPath: /etc/causeway
  readOnly: true
{{- end }}
{{- if .Values.caBundle.configMap }}
- name: ca
  mountPath: /etc/causeway-ca
  readOnly: true
{{- end }}
{{- end }}

{{- define "causeway.volumes" -}}
- name: secrets
  secret:
    secretName: {{ .Values.secret.name }}
    defaultMode: 0440
{{- if .Values.gpts }}
- name: gpts
  configMap:
    name: {{ include "causeway.name" . }}
{{- end }}
{{- if .Values.caBundle.configMap }}
- name: ca
  configMap:
    name: {{ .Values.caBundle.configMap }}
{{- end }}
{{- end }}

{{- define "causeway.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "causeway.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
privileged: false
capabilities:
  drop: [ALL]
{{- end }}
