# Completion of ./loyalty for zsh: `./loyalty completion zsh --install` puts it in its place.
_loyalty_completion() {
    local launcher=${words[1]/#\~/$HOME}
    local -a found
    # another program of this name, or an older launcher, would run the words
    if grep -qs _LOYALTY_COMPLETE "$launcher"; then
        found=("${(@f)$(_LOYALTY_COMPLETE=zsh "$launcher" "${(@)words[2,CURRENT]}" 2>/dev/null)}")
    fi
    if [[ -n "$found" ]]; then
        _describe -V loyalty found
    else
        _files
    fi
}
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
compdef _loyalty_completion loyalty
