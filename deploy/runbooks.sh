#!/bin/sh
# Point the runbook links of all dashboards and alerts at the place where docs/runbooks can be read:
#   deploy/runbooks.sh https://git.example.com/desk/fillproof/blob/main
set -eu
cd "$(dirname "$0")/.."
case "$#:${1:-}" in
1:http://?* | 1:https://?*) ;;
*)
    echo "runbooks: expected one address below which docs/runbooks stands, http://... or https://..., found: $*" >&2
    exit 2
    ;;
esac
old=$(sed -n 's|^ *runbook_url: \(.*\)/docs/runbooks/Watchdog.md$|\1|p' deploy/prometheus/rules/alerts.yml)
new=$(printf '%s' "${1%/}" | sed 's/[&|\\]/\\&/g')
sed -i "s|$old/docs/runbooks/|$new/docs/runbooks/|g" \
    grafana/dashboards/*.json grafana/provisioning/alerting/rules.yaml \
    deploy/prometheus/rules/alerts.yml deploy/prometheus/rules_test*.yml
echo "Runbook links lead to ${1%/}/docs/runbooks now."
