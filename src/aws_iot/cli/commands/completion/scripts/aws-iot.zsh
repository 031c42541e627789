#compdef aws-iot
# Completion of aws-iot for zsh.

# It has the name of the file that zsh loads it from. Otherwise, zsh would call the whole file again.
_aws-iot() {
    local line="${(j: :)words[1,CURRENT-1]} $QIPREFIX$PREFIX" name
    local program=${~${(Q)words[1]}} # as the shell reads what was typed
    local -a answer names described
    answer=("${(@f)$(_AWS_IOT_COMPLETE=zsh _AWS_IOT_LINE=$line $program 2>/dev/null)}")
    case $answer[1] in
        files) compset -P 1 '--*='; _files ;;
        folders) compset -P 1 '--*='; _files -/ ;;
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
    _aws-iot "$@"
else
    compdef _aws-iot aws-iot
fi
