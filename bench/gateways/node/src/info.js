import { getHeapStatistics } from "node:v8";

/**
 * Gives what `/info` answers: facts read back from the running process.
 *
 * @param {import("./config.js").Config} config
 * @param {import("./live-set.js").LiveSet} liveSet
 */
export function readInfo(config, liveSet) {
  return {
    gateway: "node",
    runtime: "node",
    runtime_version: process.versions.node,
    collector: "v8",
    workers: 1,
    heap_limit_bytes: getHeapStatistics().heap_size_limit,
    live_set_entries: liveSet.size,
    jwt_cache: config.jwtCache,
    upstream_pool: config.upstreamPool,
    pid: process.pid,
    flags: runtimeFlags(),
  };
}

function runtimeFlags() {
  const fromEnvironment = process.env.NODE_OPTIONS?.split(" ") ?? [];
  return [...fromEnvironment.filter(Boolean), ...process.execArgv];
}
