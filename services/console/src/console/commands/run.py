"""`fillproof run`: the whole stack on real accounts."""

from console.extras import require_extra
from console.options import Accounts, DataDir, NatsPort, Nodes, PostgresPort
from console.tables import screen


def run_command(
    *,
    xrpl: Nodes,
    account: Accounts,
    data_dir: DataDir = None,
    nats_port: NatsPort = 0,
    postgres_port: PostgresPort = 0,
) -> None:
    """Follow real accounts: the same stack as the demo against a real node, until Ctrl-C.

    Exit status: 0 ended by Ctrl-C; 1 a part failed; 2 bad input, no node
    answers, or a port is taken; 143 TERM.

    Example: fillproof run --xrpl https://xrplcluster.com --account rPT1Sjq2YGrBMTttX4GZHjKu9dyfzbpAYe
    """
    require_extra("local", command="run")
    from console.run import Options, run
    from console.stack_ending import ended_by_ctrl_c, stack_explained

    options = Options(data_dir=data_dir, nats_port=nats_port, postgres_port=postgres_port)
    with stack_explained(), ended_by_ctrl_c():
        run(xrpl, account, options, screen())
