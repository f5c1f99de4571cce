# Completion of ./loyalty for bash: `./loyalty completion bash --install` puts it in its place.
_loyalty_completion() {
    local launcher=${1/#\~/$HOME}
    # another program of this name, or an older launcher, would run the words
    grep -qs _LOYALTY_COMPLETE "$launcher" || return 0
    local IFS=$'\n'
    COMPREPLY=($(_LOYALTY_COMPLETE=bash "$launcher" "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o bashdefault -o default -F _loyalty_completion loyalty
