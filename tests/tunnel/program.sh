#!/bin/sh
# Stands in for cloudflared and ngrok: prints what they print, and follows what is written to the pipe `control`.
# Every start takes the next line of `hosts` as its host. $TUNNEL_MODE is `waits`, `refused` or nothing.
printf '%s\n' "$*" >> "$TUNNEL_FOLDER/arguments"
echo $$ >> "$TUNNEL_FOLDER/pids"
env | grep '^ROGERRAT_' >> "$TUNNEL_FOLDER/variables"
starts=$(wc -l < "$TUNNEL_FOLDER/arguments")
host=$(sed -n "${starts}p" "$TUNNEL_FOLDER/hosts")
now=2026-08-24T18:00:00Z

announce() {
  case $0 in
    *ngrok)
      echo '{"lvl":"info","msg":"no configuration paths supplied","t":"'$now'"}'
      echo '{"addr":"http://127.0.0.1:1","lvl":"info","msg":"started tunnel","name":"command_line","obj":"tunnels","t":"'$now'","url":"https://'"$host"'"}'
      ;;
    *)
      {
        echo "$now INF Thank you for trying Cloudflare Tunnel. Doing so, without a Cloudflare account, is a quick way to experiment."
        echo "$now INF Requesting new quick Tunnel on trycloudflare.com..."
        echo "$now INF +--------------------------------------------------------------------------------------------+"
        echo "$now INF |  Your quick Tunnel has been created! Visit it at (it may take some time to be reachable):  |"
        echo "$now INF |  https://$host                                     |"
        echo "$now INF +--------------------------------------------------------------------------------------------+"
        echo "$now INF Version 2026.8.0"
        echo "$now INF Starting metrics server on 127.0.0.1:20241/metrics"
        echo "$now INF Registered tunnel connection connIndex=0 connection=1b2c ip=198.41.200.13 location=fra06 protocol=http2"
      } >&2
      ;;
  esac
}

case $TUNNEL_MODE in
  refused)
    echo "$now INF Requesting new quick Tunnel on trycloudflare.com..." >&2
    echo "failed to request quick Tunnel: Post \"https://api.trycloudflare.com/tunnel\": dial tcp: i/o timeout" >&2
    exit 1
    ;;
  waits) ;;
  *) announce ;;
esac
while :; do
  read -r command < "$TUNNEL_FOLDER/control" || continue
  case $command in
    announce) announce ;;
    die) exit 1 ;;
  esac
done
