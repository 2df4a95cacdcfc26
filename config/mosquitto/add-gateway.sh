#!/bin/sh
# Gives a gateway its credential: user {enterprise}.{gateway}, bound to anshao/v1/{enterprise}/{gateway}/#.
#   docker compose exec mosquitto /mosquitto/config/add-gateway.sh huarui gw1
# Prints the new password once. Run again, it replaces the password. The broker takes it up without a restart.
set -eu
umask 077
usage() {
    echo "usage: add-gateway.sh ENTERPRISE GATEWAY   (ids as in the site file)" >&2
    exit 2
}
[ $# = 2 ] || usage
enterprise=$1
gateway=$2
case $enterprise in
    anshao | alarms | [!a-z0-9]* | *[!a-z0-9_-]* | "") usage ;;
esac
case $gateway in
    [!A-Za-z0-9]* | *[!A-Za-z0-9_-]* | "") usage ;;
esac
data=${ANSHAO_BROKER_DATA:-/mosquitto/data}
user=$enterprise.$gateway

password=$(head -c 18 /dev/urandom | base64 | tr '+/' '-_')
mosquitto_passwd -b "$data/passwd" "$user" "$password"
if ! grep -qx "user $user" "$data/acl"; then
    printf '\nuser %s\ntopic readwrite anshao/v1/%s/%s/#\n' "$user" "$enterprise" "$gateway" >>"$data/acl"
fi
# In the container the broker is process 1; elsewhere ANSHAO_BROKER_PID names it.
kill -HUP "${ANSHAO_BROKER_PID:-1}"
printf 'user      %s\npassword  %s\n' "$user" "$password"
