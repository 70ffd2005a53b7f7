"""Every night: measure a suite, make its report, then the deck, and one notebook over all nights by papermill.

For Airflow 3 with its standard provider. The tasks run in a checkout on the machine that is measured (`make setup` has made its
.venv): one after another, and never two nights at once, because whatever runs beside a measurement is measured with it.
"""

from __future__ import annotations

from datetime import timedelta

import pendulum
from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG, Param, chain

RUN = "nightly-{{ dag_run.run_after.strftime('%Y%m%d-%H%M%S') }}"
"""The run's name: the same for every try of a task."""

with DAG(
    dag_id="tipping_point_nightly",
    schedule="0 1 * * *",
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    max_active_tasks=1,
    dagrun_timeout=timedelta(hours=8),
    # An exit code of 1 may be a machine that was disturbed: a second try takes up what the first one left.
    default_args={
        "retries": 1,
        "retry_delay": timedelta(minutes=5),
        "cwd": "{{ params.checkout }}",
        "do_xcom_push": False,
    },
    params={
        "checkout": Param("/opt/tipping-point", type="string", description="the folder of the checkout"),
        "suite": Param("standard", type="string", description="a suite of bench/suites"),
        "template": Param(None, type=["null", "string"], description="a .pptx file whose layouts the deck takes"),
    },
    tags=["benchmark"],
) as dag:
    measure = BashOperator(
        task_id="measure",
        bash_command=f".venv/bin/bench run {{{{ params.suite if ti.try_number == 1 else '--resume' }}}} --name {RUN}",
        execution_timeout=timedelta(hours=6),
    )
    report = BashOperator(
        task_id="report",
        # 0 all pages complete, 1 some are not, 2 wrong arguments, 130 or 143 interrupted: all but 0 fail the task.
        bash_command=f".venv/bin/roi report {RUN} --json --deadline 1800",
        execution_timeout=timedelta(hours=1),
    )
    deck = BashOperator(
        task_id="deck",
        bash_command=(
            f".venv/bin/roi deck reports/{RUN} --out reports/{RUN}.pptx"
            "{{ ' --template ' ~ params.template if params.template else '' }}"
        ),
    )
    trend = BashOperator(
        task_id="trend",
        # -r takes the name as text, whatever it looks like.
        bash_command=f".venv/bin/papermill notebooks/17_trend.ipynb reports/{RUN}-trend.ipynb -r run {RUN}",
    )
    chain(measure, report, deck, trend)
