# Shared by the peers of this folder. Each is an executable `NAME/peer` with these commands:
#   install DIR     puts the server, its versions pinned, below DIR; does nothing where it is there already
#   start DIR PORT  becomes the server, on that port of the loopback
#   ready PORT      succeeds when it serves
# shellcheck shell=bash

# An environment of its own with the packages of requirements.txt, once for each state of them and each Python.
install_python() {
  local folder=$1 dir=$2 key
  key=$({ python3 --version; cat "$folder/requirements.txt"; } | sha256sum)
  if [[ -e $dir/key && $(<"$dir/key") == "$key" ]]; then return; fi
  rm -rf "$dir"
  python3 -m venv "$dir/venv"
  # The list is whole, so nothing is resolved: what the models alone need is left out.
  "$dir/venv/bin/python" -m pip install --disable-pip-version-check --quiet --no-deps --require-hashes \
    --only-binary=:all: --requirement "$folder/requirements.txt"
  printf '%s\n' "$key" >"$dir/key"
}

# Succeeds when the port takes connections.
port_is_open() {
  (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# Succeeds when this address answers with a status of success.
answers() {
  curl --silent --fail --output /dev/null --max-time 2 "$1"
}

peer_main() {
  case ${1:-} in
    install) mkdir -p "$2" && install_peer "$2" ;;
    start) start_peer "$2" "$3" ;;
    ready) peer_is_ready "$2" ;;
    *)
      printf 'usage: peer install DIR | start DIR PORT | ready PORT\n' >&2
      return 2
      ;;
  esac
}
