# Completion of aws-iot for bash 4.4 or later.

_aws_iot() {
    local kind name
    COMPREPLY=()
    {
        read -r kind
        case $kind in
            files) compopt -o default ;;
            folders) compopt -o dirnames ;;
            *) while read -r name; do COMPREPLY+=("$name"); done ;;
        esac
    } < <(_AWS_IOT_COMPLETE=bash _AWS_IOT_LINE=${COMP_LINE:0:COMP_POINT} _AWS_IOT_WORD=$2 "$1" 2>/dev/null)
}

complete -o nosort -F _aws_iot aws-iot
