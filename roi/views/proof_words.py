"""What the name of a proof says, in plain words."""

from __future__ import annotations

import re

_INTERVALS = (
    (r"mean_of_(\d+)", r"Mean of \1 processes"),
    (r"geometric_mean_of_(\d+)", r"Geometric mean of \1 processes"),
    (r"ratio_of_(\d+)", r"Ratio of two variants, \1 processes each"),
    (r"median_of_(\d+)", r"Median of \1 processes"),
    (r"restricted_mean_of_(\d+)", r"Mean time to recovery of \1 faults"),
    (r"median_recovery_of_(\d+)", r"Median time to recovery of \1 faults"),
    (r"recovered_by_of_(\d+)", r"Recovery curve of \1 faults"),
    (r"share_of_(\d+)", r"Share of \1 runs"),
    (r"share_of_(\d+)_blocks", r"Share of requests, over \1 blocks of time"),
    (r"quantile_([\d.]+)_of_(\d+)", r"Quantile \1 of \2 pauses"),
    (r"count", r"A count"),
    (r"bootstrap_ratio_of_(\d+)_and_(\d+)", r"Ratio of \1 over \2 processes, by bootstrap"),
    (r"bootstrap_ratio_of_(\d+)_and_(\d+)_unlike", r"Ratio of \1 over \2 processes that vary more, by bootstrap"),
    (r"geometric_mean_stopped_from_(\d+)", r"Geometric mean of a campaign that may stop from \1 processes on"),
    (r"bootstrap_ratio_stopped_from_(\d+)", r"Ratio, by bootstrap, of a campaign that may stop from \1 processes on"),
)
"""Estimators whose intervals are proven, by the form of their name."""

_WORDS = (
    (r"stall_p([\d.]+)_ms", r"A stopped server: p\1 of the response time (ms)"),
    (r"stall_mean_excess_ms", r"A stopped server: by how much the mean response time rises (ms)"),
    (
        r"constant_throughput_misses_stall_p([\d.]+)_by_ms",
        r"The control, Locust's own pacing, must miss the stop: by how much its p\1 is too low (ms)",
    ),
    (r"md1_mean_rho_([\d.]+)_ms", r"Queueing law at \1 of capacity: mean response time (ms)"),
    (r"lindley_mean_rho_([\d.]+)_ms", r"Queue worked out request by request, at \1 of capacity: mean (ms)"),
    (r"lindley_shortest_excess_rho_([\d.]+)_ms", r"No answer before it was due, at \1 of capacity: earliest (ms)"),
    (r"known_delay_joined_requests", r"Known delays: requests found again in the server's log"),
    (r"known_delay_overhead_(p\d+)_ms", r"Known delays: what network and generator add, \1 (ms)"),
    (r"known_delay_shortest_overhead_ms", r"Known delays: the least that network and generator add (ms)"),
    (r"gaps_exponential_p_value_(\d+)_workers?", r"Arrivals are random as ordered (p-value of the test), workers: \1"),
    (r"counts_dispersion_(\d+)_workers?", r"Arrivals scatter as ordered (variance over mean), workers: \1"),
    (
        r"windows_undisturbed_share_(\d+)_workers?",
        r"Windows without an arrival that was a millisecond late (share), workers: \1",
    ),
    (r"rate_error_share_(\d+)_workers?", r"Error of the rate at the server (share), workers: \1"),
    (r"arrivals_seen_(\d+)_workers?", r"Requests that arrived of those scheduled, workers: \1"),
    (r"normal_end_(server|locust)_count", r"A load that ends by itself: requests by the \1's count"),
    (r"hard_stop_(server|locust)_count", r"A load that is stopped: requests by the \1's count"),
    (r"hard_stop_rows_in_flight", r"A load that is stopped: requests in flight that were kept as rows"),
    (r"hard_stop_rows_unsent", r"A load that is stopped: requests not yet sent that were kept as rows"),
    (r"slow_flush_(server|locust)_count", r"Workers that are slow to end: requests by the \1's count"),
    (r"killed_worker_flagged", r"A killed worker: workers that the load calls lost"),
    (r"killed_worker_rows_lost", r"A killed worker: rows lost"),
    (r"killed_worker_rows_invented", r"A killed worker: requests without a row, less rows without a request"),
    (r"frozen_worker_(server|locust)_count", r"A frozen worker: requests by the \1's count"),
    (r"frozen_worker_flagged", r"A frozen worker: changes that the load reports"),
    (r"frozen_worker_longest_lag_s", r"A frozen worker: longest lag of a request that was due meanwhile (s)"),
    (r"vegeta_(p\d+)_at_(\d+)_percent_ms", r"Against the load generator vegeta, at \2 % of capacity: \1 (ms)"),
    (r"residue_lines", r"Lines of the pause log that could not be read"),
    (r"collections", r"Collections that a runtime without a collector reports"),
    (r"forced_found", r"Forced collections that the meters found"),
    (r"forced_elsewhere", r"Collections told that nobody forced"),
    (r"forced_counted", r"Forced collections by the runtime's own count"),
    (r"forced_stop_share_max", r"A handler times its own collection: the stop within it, longest share"),
    (r"forced_stop_share_median", r"A handler times its own collection: the stop within it, median share"),
    (r"stopping_ms", r"A loop that cannot be stopped: the way to the stop (ms)"),
    (r"ttsp_ms", r"A loop without a safepoint: the way to the stop (ms)"),
    (r"phase_over_rest", r"The same loop: the collector's own phase over the rest of the stop"),
    (r"sigstop_hiccup_ms", r"A stopped process: what its hiccup meter saw (ms)"),
    (r"sigstop_control_ms", r"A stopped process: what its control saw meanwhile (ms)"),
    (r"sigstop_called_gc_share", r"A stopped process: share of the stop that was called a collection"),
    (r"block_hiccup_ms", r"A blocked event loop: what its hiccup meter saw (ms)"),
    (r"block_called_gc_share", r"A blocked event loop: share of it that was called a collection"),
    (r"hog_control_lateness_rise", r"Others take the processor: rise of the control's lateness"),
    (r"hog_run_delay_rise", r"Others take the processor: rise of the gateway's threads' waiting for it"),
    (r"hog_collections", r"Others take the processor: collections, as many as without them"),
    (r"pause_total_ms", r"A histogram's total against the runtime's exact one (ms)"),
    (r"pause_sum_of_cycles_ms", r"The sum over collections against the runtime's exact total (ms)"),
    (r"pauses_a_collection", r"Stops a collection in the histogram"),
    (r"collections_told", r"Collections in the trace, against the runtime's own text"),
    (r"incremental_steps", r"Steps of incremental marking in the trace, against the runtime's own text"),
    (r"incremental_ms", r"Time of incremental marking in the trace, against the runtime's own text (ms)"),
    (r"recorder_safepoints", r"Safepoints by the flight recorder, against the log"),
    (r"kernel_safepoints", r"Safepoints that the kernel saw, against the log"),
    (r"kernel_operations_within", r"Safepoints that the kernel saw within the log's own bounds"),
    (r"kernel_stops_a_collection", r"Stops of the world that the kernel saw in a collection"),
    (r"injected_ms", r"Pauses injected under load: what the ledger puts down to them (ms)"),
    (r"injected_stalls", r"Pauses injected under load: stalls that the ledger puts down to them"),
    (r"back_off_(\d+)_s", r"Back-off of a crash loop: what restart \1 waits (s)"),
    (r"back_off_after_601_s_s", r"Back-off after ten minutes of life (s)"),
    (r"hang_found_(\w+)_s", r"A hang under Kubernetes' defaults is found after: \1 (s)"),
    (r"hang_grace_s", r"A hang under Kubernetes' defaults: from found to restarted (s)"),
    (r"(outage|flapping|slow_return)_first_ok_ms", r"\1 of known length: first good answer (ms)"),
    (r"(outage|flapping|slow_return)_sustained_ms", r"\1 of known length: service that lasts (ms)"),
    (r"flapping_spells", r"flapping of known length: how often service went away"),
    (r"(outage|flapping|slow_return|never_returned)_lost_probes", r"\1 of known length: lost probes"),
    (r"never_returned_censored", r"A gateway that never returns is censored"),
    (r"(\w+):(\w+)_recovery_(\d+)_s", r"Policy \1, \2, run \3: recovery, against the virtual clock (s)"),
    (r"no_fault_failed_share", r"Nothing wrong: share of probes that failed"),
    (r"no_fault_restarts", r"Nothing wrong: restarts"),
    *((f"{form}_coverage", f"{words}: how often its interval holds the truth") for form, words in _INTERVALS),
    (r"ratio_of_(\d+)_false_alarms", r"A variant against itself, \1 processes each: how often they are told apart"),
    (
        r"bootstrap_ratio_of_(\d+)_false_alarms",
        r"A variant against itself by bootstrap, \1 processes each: how often told apart",
    ),
    (r"log_rank_of_(\d+)_false_alarms", r"A runtime against itself, \1 recoveries each: how often they are told apart"),
    (r"cpu_a_request_ratio", r"CPU time a request with meters over without: upper end of the interval"),
    (r"(p\d+)_ratio", r"Response time with meters over without, \1: upper end of the interval"),
)
"""What a proof's name says, by the form of the name."""

_COUNTS = re.compile(
    r"(.*_(server|locust)_count|.*_joined_requests|arrivals_seen_.*|killed_worker_flagged"
    r"|(.*:)?(residue_lines|collections|forced_(found|elsewhere|counted)|hog_collections|collections_told|incremental_steps"
    r"|(recorder|kernel)_safepoints|kernel_operations_within)|back_off_.*_s|hang_grace_s|never_returned_censored|no_fault_restarts)"
)


def is_count(name: str) -> bool:
    """Tell whether a proof without a tolerance asks for equality and not for a bound."""
    return bool(_COUNTS.fullmatch(name))


def plain(name: str) -> str:
    """Give a proof's name in plain words; one that this release does not know loses its underscores."""
    for form, words in _WORDS:
        if found := re.fullmatch(form, name):
            return found.expand(words)
    return name.replace("_", " ")
