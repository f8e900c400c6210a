#!/bin/sh
# Runs the GPU probe, the tests and the bench on a Linux x64 machine without a network.
#
#   ./run-gpu.sh [probe] [tests] [bench] [load]     default: probe tests bench
#
# Beside triptych-gpu.tar.xz it unpacks that into $TRIPTYCH_WORK (default: a temporary folder)
# and goes on from there. Needs sh, tar, xz and what every Linux has; no Bun, Node, git or network.
#
#   OUT            where logs and results go       default: ./results
#   DEVICE         webgpu, or software             default: webgpu where a GPU answers
#   STEP_SECONDS   longest that one step may take  default: 570
#   BENCH_FILTERS  what the bench is to measure    default: everything
#
# A step that fails does not stop the next. The exit code is the number of steps that failed.
set -u

name=triptych-gpu
here=$(cd "$(dirname "$0")" && pwd)
OUT=${OUT:-$PWD/results}

if [ ! -x "$here/bin/bun" ]; then
  archive=$here/$name.tar.xz
  work=${TRIPTYCH_WORK:-$(mktemp -d)}
  echo "unpacking $archive into $work"
  mkdir -p "$work" || exit 1
  if command -v xz >/dev/null 2>&1; then
    xz -dc "$archive" | tar -xf - -C "$work" || exit 1
  else
    python3 -c 'import lzma, shutil, sys
shutil.copyfileobj(lzma.open(sys.argv[1]), sys.stdout.buffer)' "$archive" | tar -xf - -C "$work" || exit 1
  fi
  export OUT
  exec "$work/$name/run-gpu.sh" "$@"
fi

cd "$here" || exit 1
mkdir -p "$OUT" || exit 1
STEP_SECONDS=${STEP_SECONDS:-570}
[ $# -eq 0 ] && set -- probe tests bench

# Everything that is written stays in this folder and in $OUT.
export HOME="${HOME:-$here/.home}"
export TRIPTYCH_HOME="$here/.cache" TRIPTYCH_BENCH_HOME="$here/.cache"
export BUN_RUNTIME_TRANSPILER_CACHE_PATH="$here/.cache/transpiler"
export DO_NOT_TRACK=1 NO_COLOR=1
export PATH="$here/bin:${PATH:-/usr/bin:/bin}"
TRIPTYCH_COMMIT=$(cat commit)
export TRIPTYCH_COMMIT
if [ -f cpu-runtime ]; then
  TRIPTYCH_BENCH_CPU_RUNTIME=$(cat cpu-runtime)
  export TRIPTYCH_BENCH_CPU_RUNTIME
fi

# limited <seconds> <command…>
limited() {
  if command -v timeout >/dev/null 2>&1; then timeout -k 10 "$@"; else shift; "$@"; fi
}

failures=0
# step <name> <command…>: logs to the terminal and to $OUT/<name>.log
step() {
  step_name=$1
  shift
  echo "== $step_name: $*"
  began=$(date +%s)
  { limited "$STEP_SECONDS" "$@" 2>&1; echo $? >"$OUT/.status"; } | tee "$OUT/$step_name.log"
  code=$(cat "$OUT/.status")
  rm -f "$OUT/.status"
  echo "== $step_name ended with $code after $(($(date +%s) - began)) s"
  [ "$code" = 0 ] || failures=$((failures + 1))
}

answers() {
  limited 120 bun bench/gpu_probe.ts --adapter-only >"$OUT/adapter.log" 2>&1
}

# Writes a manifest for a driver that came without one, and gives its path; NVIDIA's driver has a
# second entry that needs no X11.
manifest_for() {
  for folder in /usr/local/nvidia/lib64 /usr/lib/x86_64-linux-gnu /usr/lib64 /usr/lib; do
    [ -f "$folder/$1" ] || continue
    mkdir -p "$here/.cache"
    printf '{"file_format_version":"1.0.1","ICD":{"library_path":"%s","api_version":"1.3.0"}}\n' \
      "$folder/$1" >"$here/.cache/$1.json"
    echo "$here/.cache/$1.json"
    return
  done
}

# Finds a way to the GPU: the loader's own, then where containers put NVIDIA's driver.
find_gpu() {
  answers && return 0
  for folder in /usr/local/nvidia/lib64 /usr/local/nvidia/lib /usr/lib/wsl/lib; do
    [ -d "$folder" ] && export LD_LIBRARY_PATH="$folder${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
  done
  for file in \
    /usr/local/nvidia/share/vulkan/icd.d/nvidia_icd.json \
    /etc/vulkan/icd.d/nvidia_icd.json \
    /usr/share/vulkan/icd.d/nvidia_icd*.json \
    /usr/local/share/vulkan/icd.d/nvidia_icd.json \
    /run/opengl-driver/share/vulkan/icd.d/nvidia_icd*.json \
    "$(manifest_for libGLX_nvidia.so.0)" \
    "$(manifest_for libEGL_nvidia.so.0)"; do
    [ -f "$file" ] || continue
    export VK_DRIVER_FILES="$file"
    echo "trying $file"
    answers && return 0
  done
  unset VK_DRIVER_FILES
  return 1
}

echo "triptych $TRIPTYCH_COMMIT, bun $(bun --version), $(uname -srm)"
command -v nvidia-smi >/dev/null 2>&1 && nvidia-smi -L
if [ -z "${DEVICE:-}" ]; then
  if find_gpu; then
    DEVICE=webgpu
  else
    cat "$OUT/adapter.log"
    DEVICE=software
  fi
fi
[ -f "$OUT/adapter.log" ] && head -n 1 "$OUT/adapter.log"
echo "device: $DEVICE${VK_DRIVER_FILES:+, driver from $VK_DRIVER_FILES}"

for wanted in "$@"; do
  case $wanted in
    probe) step probe bun bench/gpu_probe.ts --device "$DEVICE" --out "$OUT" ;;
    tests) step tests bun test ;;
    bench)
      # shellcheck disable=SC2086 # the filters are words
      step bench bun bench/main.ts ${BENCH_FILTERS:-} --device "$DEVICE" --save --out "$OUT"
      step bench-cpu bun bench/main.ts ${BENCH_FILTERS:-kernels media queue} --device cpu --save --out "$OUT"
      ;;
    load) step load bun bench/main.ts load --device "$DEVICE" --save --out "$OUT" ;;
    *) echo "unknown step $wanted: probe, tests, bench or load" && failures=$((failures + 1)) ;;
  esac
done
rm -f "$OUT/adapter.log"
echo "== $failures failed; logs and results in $OUT"
exit "$failures"
