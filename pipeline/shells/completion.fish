# Completion of ./loyalty for fish: `./loyalty completion fish --install` puts it in its place.
function __loyalty_completion
    set -l words (commandline -opc) (commandline -ct)
    set -l launcher (string replace -r '^~' $HOME -- $words[1])
    # another program of this name, or an older launcher, would run the words
    grep -qs _LOYALTY_COMPLETE $launcher; or return
    env _LOYALTY_COMPLETE=fish $launcher $words[2..-1] 2>/dev/null
end
complete -c loyalty -f -n 'test (count (commandline -opc)) -eq 1'
complete -c loyalty -a '(__loyalty_completion)'
