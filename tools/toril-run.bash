# SPDX-License-Identifier: BSD-2-Clause
# Completion of toril-run's options, as --help lists them, and of files; and of
# machines' names.
_toril_run()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}

	COMPREPLY=()
	case $prev in
	--accel)
		mapfile -t COMPREPLY < <(compgen -W 'auto kvm tcg' -- "$cur")
		return
		;;
	--trace)
		mapfile -t COMPREPLY < <(compgen -W default -- "$cur")
		return
		;;
	--vsock)
		mapfile -t COMPREPLY < <(compgen -W 'auto vhost builtin' -- "$cur")
		return
		;;
	-w | --workdir | -e | --env | -p | --publish | -m | --memory | -c | --cpus | --name | --metrics)
		return # nothing that could be guessed
		;;
	esac
	case $cur in
	-*)
		mapfile -t COMPREPLY < <(compgen -W "$("${COMP_WORDS[0]}" --help |
			grep -oE '^ +(-[a-z], )?--[a-z-]+' | grep -oE -- \
			'--?[a-z][a-z-]*') --version" -- "$cur")
		;;
	*)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		;;
	esac
}

# Names: all that there are for logs, those that run to be stopped.
_toril_names()
{
	local cur=${COMP_WORDS[COMP_CWORD]} all=

	[[ ${COMP_WORDS[0]} = *stop ]] || all=-a
	case $cur in
	-*) COMPREPLY=() ;;
	*)
		mapfile -t COMPREPLY < <(compgen -W \
			"$("${COMP_WORDS[0]/%toril-*/toril-ps}" -q $all)" -- "$cur")
		;;
	esac
}

# The first word is a command, the others are files.
_toril_trace()
{
	local cur=${COMP_WORDS[COMP_CWORD]} words=

	((COMP_CWORD > 1)) || words='print summary check json'
	if [ -n "$words" ]; then
		mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
	else
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
	fi
}
complete -o filenames -F _toril_trace toril-trace
complete -F _toril_names toril-logs toril-stop
complete -o filenames -F _toril_run toril-run
