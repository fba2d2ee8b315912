#!/bin/sh
# weir-report spam|ham USER - the message on standard input, reported as it stands: what the Sieve
#     scripts beside it call.
# weir-report spam|ham - what is attached to the letter on standard input, by the envelope's sender,
#     whom Postfix and Exim tell in $SENDER: for aliases.
case $#,$1 in
2,spam | 2,ham) exec weirctl report "$1" --what itself --user="$2" ;;
1,spam | 1,ham) exec weirctl report "$1" --what attached --user="${SENDER-}" ;;
esac
echo "usage: weir-report spam|ham [USER] <message" >&2
exit 64
