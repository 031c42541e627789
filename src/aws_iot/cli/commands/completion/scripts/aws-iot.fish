# Completion of aws-iot for fish.

function __aws_iot
    set -l word (commandline --current-token --cut-at-cursor)
    set -l option (string match --regex -- '^--[^=]+=' $word)
    set -l answer (env _AWS_IOT_COMPLETE=fish _AWS_IOT_LINE=(commandline --current-process --cut-at-cursor | string collect) aws-iot 2>/dev/null)
    switch "$answer[1]"
        case files
            string replace --regex -- '^' "$option" (__fish_complete_path (string replace -- "$option" '' $word))
        case folders
            string replace --regex -- '^' "$option" (__fish_complete_directories (string replace -- "$option" '' $word))
        case '*'
            string collect -- $answer[2..]
    end
end

complete --command aws-iot --no-files --keep-order --arguments '(__aws_iot)'
