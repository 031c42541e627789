#compdef aws-iot
# Completion of aws-iot for zsh.

_aws_iot() {
    local line="${(j: :)words[1,CURRENT-1]} $QIPREFIX$PREFIX" name
    local -a answer names described
    answer=("${(@f)$(_AWS_IOT_COMPLETE=zsh _AWS_IOT_LINE=$line $words[1] 2>/dev/null)}")
    case $answer[1] in
        files) compset -P '--*='; _files ;;
        folders) compset -P '--*='; _files -/ ;;
        *)
            for name in "${(@)answer[2,-1]}"; do
                if [[ $name == *$'\t'* ]]; then
                    described+=("${${name%%$'\t'*}//:/\\:}:${name#*$'\t'}")
                else
                    names+=("$name")
                fi
            done
            (( $#described )) && _describe -V aws-iot described
            (( $#names )) && compadd -V names -a names
            ;;
    esac
}

if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    _aws_iot "$@"
else
    compdef _aws_iot aws-iot
fi
