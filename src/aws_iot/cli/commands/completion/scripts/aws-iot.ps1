# Completion of aws-iot for PowerShell 5 or later. If nothing is offered, PowerShell completes files by itself.

Register-ArgumentCompleter -Native -CommandName aws-iot -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $text = $commandAst.Extent.Text
    $length = $cursorPosition - $commandAst.Extent.StartOffset
    $encoding = [Console]::OutputEncoding
    try {
        [Console]::OutputEncoding = [System.Text.UTF8Encoding]::new($false) # as aws-iot answers
        $env:_AWS_IOT_COMPLETE = 'powershell'
        # After the last word, the blanks before the cursor are not part of the command.
        $env:_AWS_IOT_LINE = if ($length -gt $text.Length) { "$text " } else { $text.Substring(0, $length) }
        aws-iot 2>$null | Select-Object -Skip 1 | ForEach-Object {
            $name, $description = $_ -split "`t", 2
            $shown = if ($description) { $description } else { $name }
            [System.Management.Automation.CompletionResult]::new($name, $name, 'ParameterValue', $shown)
        }
    } finally {
        [Console]::OutputEncoding = $encoding
        Remove-Item Env:_AWS_IOT_COMPLETE
        Remove-Item Env:_AWS_IOT_LINE
    }
}
