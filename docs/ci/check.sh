#!/usr/bin/env bash
# Check, test and explore state machines; what the GitHub action and the GitLab template run.
# Everything is done, whatever fails first; the exit code says whether anything failed.
set -uo pipefail
failed=0
summary="${DOORSTEP_SUMMARY:-/dev/null}"

say() { printf '%s\n' "$@" >>"$summary"; }

verdict() { # NAME CODE
    if [ "$2" -eq 0 ]; then say "- $1: passed"; else say "- **$1: failed**"; failed=1; fi
}

draw() { # FILE
    if drawing="$(doorstep graph "$1" 2>/dev/null)"; then
        say '```mermaid' "$drawing" '```' ""
    else
        say "It can't be drawn: see what \`doorstep validate\` says." ""
    fi
}

say "## Doorstep" ""
doorstep validate "${DOORSTEP_PATH:-.}" --format sarif >doorstep.sarif
doorstep validate "${DOORSTEP_PATH:-.}"
verdict "validate" $?

if [ -n "${DOORSTEP_TESTS:-}" ]; then
    doorstep test "$DOORSTEP_TESTS" --junit doorstep.junit.xml --cov \
        --cov-report xml:doorstep.coverage.xml --cov-fail-under "${DOORSTEP_COVERAGE:-0}"
    verdict "test" $?
fi

# Only a committed baseline counts: one that this run wrote would be gone with it.
baseline="${DOORSTEP_BASELINE:-doorstep.baseline.json}"
for definition in ${DOORSTEP_EXPLORE:-}; do
    if [ -e "$baseline" ]; then
        doorstep explore "$definition" --baseline "$baseline"
    else
        doorstep explore "$definition"
    fi
    verdict "explore $definition" $?
done
if [ -n "${DOORSTEP_EXPLORE:-}" ] && [ ! -e "$baseline" ]; then
    missing="There is no $baseline, so every finding fails. Write those that may stay into it, and
commit it: doorstep explore FILE --baseline $baseline --update-baseline"
    say "" "$missing"
    printf '%s\n' "$missing" >&2
fi

# What a change does to the picture: of each definition that differs from the base, both drawings.
if [ -n "${DOORSTEP_BASE:-}" ] && git cat-file -e "$DOORSTEP_BASE" 2>/dev/null; then
    git diff -z --name-only --diff-filter=AM "$DOORSTEP_BASE" -- \
        '*.asl.json' '*.asl.yaml' '*.asl.yml' |
        while IFS= read -r -d '' file; do
            say "" "### $file" ""
            before="$(mktemp -d)/$(basename "$file")"
            if git show "$DOORSTEP_BASE:$file" >"$before" 2>/dev/null; then
                say "<details><summary>before</summary>" ""
                draw "$before"
                say "</details>" ""
            fi
            draw "$file"
        done
fi
exit "$failed"
