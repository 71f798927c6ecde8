/**
 * Shell scripts that ask the program itself what may stand at the cursor. bash breaks words at colons, so its script
 * takes the words from the line and cuts the part before the last colon off each offer.
 */
import { type Command, defineCommand } from '../command.ts'
import { UsageError } from '../usage-error.ts'

const BASH = `# bash completion of artifacts. Use it: eval "$(artifacts completion bash)"
_artifacts() {
  local line="\${COMP_LINE:0:COMP_POINT}" word offer IFS=$' \\t\\n'
  local -a words
  read -r -a words <<< "$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  word="\${words[\${#words[@]}-1]}"
  COMPREPLY=()
  while IFS= read -r offer; do
    [[ $word == *:* && $COMP_WORDBREAKS == *:* ]] && offer="\${offer#"\${word%"\${word##*:}"}"}"
    COMPREPLY+=("$offer")
  done < <(artifacts --complete "\${words[@]:1}" 2>/dev/null)
}
complete -o default -F _artifacts artifacts
`

const ZSH = `#compdef artifacts
# zsh completion of artifacts. Use it: eval "$(artifacts completion zsh)"
_artifacts() {
  local -a offers
  offers=("\${(@f)$(artifacts --complete "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  offers=(\${offers:#})
  if (( \${#offers} )); then compadd -- $offers; else _files; fi
}
if [[ "\${zsh_eval_context[-1]}" == loadautofunc ]]; then _artifacts "$@"; else compdef _artifacts artifacts; fi
`

export const completion: Command = defineCommand({
  flags: {},
  takes: [0, 1],
  completes: ['bash', 'zsh'],
  details: ['Without an argument, for the shell that SHELL names.'],
  examples: [
    ['eval "$(artifacts completion bash)"', 'In ~/.bashrc'],
    ['eval "$(artifacts completion zsh)"', 'In ~/.zshrc, behind compinit'],
  ],
  json: { '': 'shell script' },

  async run({ positionals: [named] }, { io }) {
    const shell = named ?? (/zsh$/.test(io.environment.shell ?? '') ? 'zsh' : 'bash')
    if (shell !== 'bash' && shell !== 'zsh') {
      throw new UsageError(`There is no completion for "${shell}".`, 'Choose one of: bash, zsh.')
    }
    const script = shell === 'zsh' ? ZSH : BASH
    return { value: { shell, script }, text: script }
  },
})
