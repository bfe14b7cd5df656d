#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2317 # `check` calls the functions
# Slurm: shards as an array of jobs, the merge as a job after it. A cluster of this machine alone, in
# namespaces of its own: its ports are nobody else's, and it ends with this script however that ends.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
if [ "${3-}" != inside ]; then
    for needed in slurmctld slurmd sbatch munged unshare ip; do
        command -v "$needed" >/dev/null || {
            echo "skipped: there is no $needed"
            exit 0
        }
    done
    isolated=(unshare --uts --net --pid --mount --mount-proc --fork --kill-child)
    "${isolated[@]}" true 2>/dev/null || {
        echo "skipped: no namespaces here: Slurm's daemons have to be root's"
        exit 0
    }
    exec "${isolated[@]}" bash "$here/slurm.bash" "$1" "$2" inside
fi
# shellcheck source-path=SCRIPTDIR source=engine.bash
source "$here/engine.bash" "$@"

start_cluster() {
    hostname localhost
    ip link set lo up
    ip address add 192.0.2.1/32 dev lo # without another address than loopback names are not resolved
    mkdir run state spool
    (umask 077 && head -c 64 /dev/urandom >key)
    cat >slurm.conf <<END
ClusterName=shards
SlurmctldHost=localhost(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$work/run/munge
CommunicationParameters=NoInAddrAny
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/spool
SlurmctldPidFile=$work/run/slurmctld.pid
SlurmdPidFile=$work/run/slurmd.pid
ProctrackType=proctrack/pgid
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
MailProg=/bin/true
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
NodeName=localhost NodeAddr=127.0.0.1 CPUs=3
PartitionName=all Nodes=localhost Default=YES State=UP
END
    export SLURM_CONF=$work/slurm.conf
    # /tmp is everybody's, which munged does not like without --force.
    munged --force --foreground --key-file=key --socket=run/munge --pid-file=run/munged.pid \
        --log-file=munged.log --seed-file=seed >munged.out 2>&1 &
    within 30 munge --no-input --socket=run/munge || return 1
    slurmctld -D >slurmctld.log 2>&1 &
    slurmd -D -N localhost >slurmd.log 2>&1 &
    within 60 node_is_idle || {
        tail -n 20 ./*.log
        return 1
    }
}

stop_engine() {
    # shellcheck disable=SC2046 # numbers
    kill -KILL $(jobs -p)
    wait
}

node_is_idle() {
    [ "$(timeout 5 sinfo --noheader --format=%T)" = idle ]
}

has_ended() {
    local state
    state=$(squeue --noheader --states=all --format=%T --jobs="$1") || return 1
    ! grep -qvE '^(COMPLETED|FAILED)$' <<<"$state"
}

check "a cluster starts" start_cluster
[ "$failures" = 0 ] || finish
check "the suite fails on one machine" exits 1 moonshake run suite --format json=whole.json

cat >shards.sbatch <<'END'
#!/bin/sh
#SBATCH --array=1-3
#SBATCH --output=shard-%a.log
exec moonshake run suite --shard auto --format json=shard-$SLURM_ARRAY_TASK_ID.json
END
submit() {
    array=$(sbatch --parsable shards.sbatch) || return 1
    sbatch --wait --dependency="afterany:$array" --output=merge.log \
        --wrap 'moonshake merge shard-*.json --format json=merged.json' || return
}
check "the merge fails after an array of jobs" exits 1 submit
check "each case ran once, as on one machine" is_the_whole merged.json

one_job_failed() {
    squeue --noheader --states=all --format='%i %T' --jobs="$array" | tee jobs
    exits 0 [ "$(grep -c ' FAILED$' jobs)/$(grep -c ' COMPLETED$' jobs)" = 1/2 ]
}
check "the job with the failing cases failed, and no other" one_job_failed
check "without a shard there is no whole" \
    complains "shard 3/3 is missing" moonshake merge shard-1.json shard-2.json

# A list with gaps does not tell which job comes where.
list_with_gaps() {
    array=$(sbatch --parsable --array=1,2,4 shards.sbatch) || return 1
    within 60 has_ended "$array" && grep "a range wanted, such as --array=1-3" shard-[124].log &&
        exits 0 [ "$(grep -l 'a range wanted' shard-[124].log | wc -l)" = 3 ]
}
check "a list of numbers is refused by each job" list_with_gaps

finish
