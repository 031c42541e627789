# Completion of aws-iot for bash 4.4 or later.

_aws_iot() {
    local program=${1//[\\\"\']/} # as it was typed
    local -a answer
    COMPREPLY=()
    if [[ $3 =~ ^[0-9\&]*[\<\>]+[\|\&]?$ ]]; then # a redirection, which takes a file
        compopt -o default
        return
    fi
    [[ $program == \~/* ]] && program=~/${program:2}
    type -P -- "$program" >/dev/null || program=aws-iot # what was typed is an alias
    mapfile -t answer < <(_AWS_IOT_COMPLETE=bash _AWS_IOT_LINE=${COMP_LINE:0:COMP_POINT} _AWS_IOT_WORD=$2 "$program" 2>/dev/null)
    case ${answer[0]-} in
        files) compopt -o default ;;
        folders) compopt -o dirnames ;;
        *) COMPREPLY=("${answer[@]:1}") ;;
    esac
}

complete -o nosort -F _aws_iot aws-iot
