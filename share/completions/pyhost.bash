# Generated from the option tables by pyhost-reference.
_pyhost() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
  if [ "$COMP_CWORD" = 1 ]; then
    COMPREPLY=($(compgen -W 'serve setup status metrics dump reload stop start check explain build-plugin --help --version' -- "$current"))
    return
  fi
  case $previous in
    --application-type)
      COMPREPLY=($(compgen -W 'auto script module static' -- "$current"))
      return
      ;;
    --log-format)
      COMPREPLY=($(compgen -W 'short httpd json' -- "$current"))
      return
      ;;
    --log-level)
      COMPREPLY=($(compgen -W 'emerg alert crit error warn notice info debug trace1 trace2 trace3 trace4 trace5 trace6 trace7 trace8' -- "$current"))
      return
      ;;
    --access-log|--auth-file|--auth-user-script|--chdir|--config|--directory-index|--document-root|--env-file|--envvars|--envvars-script|--error-log|--httpd|--httpd-executable|--include|--include-file|--log-directory|--modules-dir|--modules-directory|--output|--pid-file|--python-home|--python-path|--rewrite-rules|--server-root|--socket|--source|--ssl-certificate-file|--ssl-certificate-key-file|--tls-cert|--tls-key|--working-directory|-f)
      COMPREPLY=($(compgen -f -- "$current"))
      return
      ;;
    --access-log-format|--application-group|--bind|--body-max-timeout|--body-min-rate|--body-timeout|--callable|--callable-object|--connect-timeout|--connections|--cpu-time-limit|--deadlock-timeout|--define|--env|--error-document|--graceful-timeout|--group|--header|--header-max-timeout|--header-min-rate|--header-timeout|--host|--https-port|--inactivity-timeout|--interface|--interrupt-timeout|--interval|--keep-alive-timeout|--limit-request-body|--locale|--max-body|--max-clients|--max-log-size|--maximum-requests|--memory-limit|--mount|--mount-point|--passenv|--port|--processes|--proxy|--queue|--queue-timeout|--reload-on|--request-timeout|--restart-interval|--server-alias|--server-name|--service|--setenv|--shutdown-timeout|--socket-timeout|--ssl-certificate|--ssl-port|--startup-timeout|--static|--stop-timeout|--threads|--trust-proxy|--trust-proxy-header|--umask|--user|-D)
      return
      ;;
  esac
  if [ "${current#-}" = "$current" ]; then
    COMPREPLY=($(compgen -f -- "$current"))
    return
  fi
  local options=
  case ${COMP_WORDS[1]} in
    serve)
      options='--callable --callable-object --application-type --mount --mount-point --working-directory --chdir --service --config --host --port --bind --server-name --http2 --tls-cert --ssl-certificate-file --tls-key --ssl-certificate-key-file --ssl-certificate --tls-self-signed --https-port --ssl-port --https-only --processes --threads --max-clients --embedded --embedded-mode --reload --reload-on-changes --reload-on --disable-reloading --user --group --env --env-file --envvars-script --request-timeout --interrupt-timeout --queue --queue-timeout --startup-timeout --shutdown-timeout --deadlock-timeout --inactivity-timeout --restart-interval --maximum-requests --cpu-time-limit --memory-limit --connect-timeout --interface --connections --umask --python-home --python-path --application-group --locale --static --document-root --directory-index --directory-listing --proxy --rewrite-rules --error-document --server-status --max-body --limit-request-body --compress --compress-responses --header --trust-proxy --trust-proxy-header --setenv --passenv --socket-timeout --keep-alive-timeout --header-timeout --header-max-timeout --header-min-rate --body-timeout --body-max-timeout --body-min-rate --auth-file --auth-user-script --access-log --access-log-format --error-log --log-format --log-level --log-directory --rotate-logs --max-log-size --server-root --pid-file --include --include-file --stop-timeout --graceful-timeout --print-config --httpd --httpd-executable --modules-dir --modules-directory --setup-only --server-alias --log-to-terminal --chunked-request -h --help'
      ;;
    setup)
      options='--callable --callable-object --application-type --mount --mount-point --working-directory --chdir --service --config --host --port --bind --server-name --http2 --tls-cert --ssl-certificate-file --tls-key --ssl-certificate-key-file --ssl-certificate --tls-self-signed --https-port --ssl-port --https-only --processes --threads --max-clients --embedded --embedded-mode --reload --reload-on-changes --reload-on --disable-reloading --user --group --env --env-file --envvars-script --request-timeout --interrupt-timeout --queue --queue-timeout --startup-timeout --shutdown-timeout --deadlock-timeout --inactivity-timeout --restart-interval --maximum-requests --cpu-time-limit --memory-limit --connect-timeout --interface --connections --umask --python-home --python-path --application-group --locale --static --document-root --directory-index --directory-listing --proxy --rewrite-rules --error-document --server-status --max-body --limit-request-body --compress --compress-responses --header --trust-proxy --trust-proxy-header --setenv --passenv --socket-timeout --keep-alive-timeout --header-timeout --header-max-timeout --header-min-rate --body-timeout --body-max-timeout --body-min-rate --auth-file --auth-user-script --access-log --access-log-format --error-log --log-format --log-level --log-directory --rotate-logs --max-log-size --server-root --pid-file --include --include-file --stop-timeout --graceful-timeout --print-config --httpd --httpd-executable --modules-dir --modules-directory --setup-only --server-alias --log-to-terminal --chunked-request -h --help'
      ;;
    status)
      options='--socket --server-root --json --watch --interval -h --help'
      ;;
    metrics)
      options='--socket --server-root --openmetrics -h --help'
      ;;
    dump)
      options='--socket --server-root --json -h --help'
      ;;
    reload)
      options='--socket --server-root --no-wait -h --help'
      ;;
    stop)
      options='--socket --server-root --no-wait -h --help'
      ;;
    start)
      options='--socket --server-root --no-wait -h --help'
      ;;
    check)
      options='-f --config -D --define --envvars --httpd --json -h --help'
      ;;
    explain)
      options='-f --config -D --define --envvars --httpd --json -h --help'
      ;;
    build-plugin)
      options='--output --source -h --help'
      ;;
  esac
  COMPREPLY=($(compgen -W "$options" -- "$current"))
}
complete -o filenames -F _pyhost pyhost
