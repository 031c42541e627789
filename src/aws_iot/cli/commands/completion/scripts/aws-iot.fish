# Completion of aws-iot for fish.

function __aws_iot
    set -l word (commandline --current-token --cut-at-cursor)
    set -l program (commandline --current-process --tokenize | string replace --regex '^~/' "$HOME/")[1]
    command --query $program; or set program aws-iot # what was typed is an alias
    set -l answer (env _AWS_IOT_COMPLETE=fish _AWS_IOT_LINE=(commandline --current-process --cut-at-cursor | string collect) $program 2>/dev/null)
    switch "$answer[1]"
        case files # as fish completes the words of other commands
            complete --do-complete "'' $word"
        case folders
            complete --do-complete "'' $word" | string match '*/'
        case '*'
            string collect -- $answer[2..]
    end
end

complete --command aws-iot --no-files --keep-order --arguments '(__aws_iot)'
