#!/usr/bin/env bash
# Check, test and explore state machines; what the GitHub action and the GitLab template run.
# Everything is done, whatever fails first; the exit code says whether anything failed.
set -uo pipefail
failed=0
summary="${DOORSTEP_SUMMARY:-/dev/null}"

say() { printf '%s\n' "$*" >>"$summary"; }

verdict() { # NAME CODE
    if [ "$2" -eq 0 ]; then say "- $1: passed"; else say "- **$1: failed**"; failed=1; fi
}

say "## Doorstep"
doorstep validate "${DOORSTEP_PATH:-.}" --format sarif >doorstep.sarif
doorstep validate "${DOORSTEP_PATH:-.}"
verdict "validate" $?

if [ -n "${DOORSTEP_TESTS:-}" ]; then
    doorstep test "$DOORSTEP_TESTS" --junit doorstep.junit.xml --cov \
        --cov-report xml:doorstep.coverage.xml --cov-fail-under "${DOORSTEP_COVERAGE:-0}"
    verdict "test" $?
fi

# Where there is no baseline yet, this run writes it, for all definitions.
baseline="${DOORSTEP_BASELINE:-doorstep.baseline.json}"
update=$([ -e "$baseline" ] || echo --update-baseline)
for definition in ${DOORSTEP_EXPLORE:-}; do
    doorstep explore "$definition" --baseline "$baseline" $update
    verdict "explore $definition" $?
done

# What a change does to the picture: of each definition that differs from the base, both drawings.
if [ -n "${DOORSTEP_BASE:-}" ] && git cat-file -e "$DOORSTEP_BASE" 2>/dev/null; then
    git diff --name-only --diff-filter=AM "$DOORSTEP_BASE" -- '*.asl.json' '*.asl.yaml' '*.asl.yml' |
        while IFS= read -r file; do
            say "" "### $file"
            before="$(mktemp -d)/$(basename "$file")"
            if git show "$DOORSTEP_BASE:$file" >"$before" 2>/dev/null; then
                say "<details><summary>before</summary>" && say ""
                say '```mermaid' && doorstep graph "$before" >>"$summary"
                say '```' && say "</details>" && say ""
            fi
            say '```mermaid' && doorstep graph "$file" >>"$summary"
            say '```'
        done
fi
exit "$failed"
