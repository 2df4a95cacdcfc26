#!/bin/sh
# Starts Mosquitto with the password and ACL files in its data directory; makes them at the first start.
# ANSHAO_BROKER_PASSWORD is the password of the service's own user, `anshao`.
set -eu
umask 077
config=$(cd "$(dirname "$0")" && pwd)
data=${ANSHAO_BROKER_DATA:-/mosquitto/data}
: "${ANSHAO_BROKER_PASSWORD:?is not set}"

[ -e "$data/acl" ] || cp "$config/acl.example" "$data/acl"
touch "$data/passwd"
mosquitto_passwd -b "$data/passwd" anshao "$ANSHAO_BROKER_PASSWORD"
exec mosquitto -c "${ANSHAO_BROKER_CONFIG:-$config/mosquitto.conf}"
