"""PowerShell: completion for a shell that Click does not know.

Not tried in a real PowerShell yet. What the script and the program exchange is tested.
"""

import os

from click.shell_completion import CompletionItem, ShellComplete, add_completion_class, split_arg_string

SCRIPT = """\
Register-ArgumentCompleter -Native -CommandName %(prog_name)s -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $text = $commandAst.Extent.Text
    $length = [Math]::Min($text.Length, $cursorPosition - $commandAst.Extent.StartOffset)
    try {
        $env:%(complete_var)s = 'powershell_complete'
        $env:_AWS_IOT_WORDS = $text.Substring(0, $length)
        $env:_AWS_IOT_WORD = $wordToComplete
        %(prog_name)s | ForEach-Object {
            $value, $description = $_ -split "`t", 2
            $shown = if ($description) { $description } else { $value }
            [System.Management.Automation.CompletionResult]::new($value, $value, 'ParameterValue', $shown)
        }
    } finally {
        Remove-Item Env:%(complete_var)s
        Remove-Item Env:_AWS_IOT_WORDS
        Remove-Item Env:_AWS_IOT_WORD
    }
}
"""


class PowerShell(ShellComplete):
    """Completion for PowerShell 5 and later. Where nothing is offered, PowerShell completes files by itself."""

    name = "powershell"
    source_template = SCRIPT

    def get_completion_args(self) -> tuple[list[str], str]:
        words = split_arg_string(os.environ["_AWS_IOT_WORDS"])
        incomplete = os.environ.get("_AWS_IOT_WORD", "")
        return (words[1:-1] if incomplete else words[1:]), incomplete

    def format_completion(self, item: CompletionItem) -> str:
        return f"{item.value}\t{item.help}" if item.help else str(item.value)

    def complete(self) -> str:
        arguments, incomplete = self.get_completion_args()
        offered = self.get_completions(arguments, incomplete)
        return "\n".join(self.format_completion(item) for item in offered if item.type == "plain")


def add() -> None:
    """Let Click know this shell."""
    add_completion_class(PowerShell)
