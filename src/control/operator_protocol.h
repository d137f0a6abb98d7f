// What the command pyhost and the supervisor say to each other.
//
// One line of JSON each way, over a stream socket of the unix domain that only root and the user of
// httpd's parent can connect to, and members of WSGIMonitorGroup for status and metrics:
//
//   {"command": "status" | "metrics" | "dump" | "reload" | "stop" | "start" | "reset-metrics",
//    "group": "site", "wait": true, "openmetrics": false}
//
// Only `status` and `metrics` may come without a group; they then tell of all. Without "wait",
// which is true unless said otherwise, a command is answered as soon as it is understood. The
// answer has one of
//
//   {"error": "sentence"}
//   {"done": "sentence"}
//   {"metrics": "..."} (in Prometheus' text format, or as OpenMetrics)
//   {"work": [{"slot": 0, "role": "worker" | "keeper", "pid": 18, "generation": 1, "text": "..."
//    (what the worker says of its requests and threads), "problem": null or "..." (why it says
//    nothing, or no more)}]}
//   {"supervisor": {"pid": 17},
//    "refused": null or {"reason": "...", "since_us": 0} (httpd has read a configuration since then
//    that cannot be run, so that what runs is that of before),
//    "groups": [{
//      "name": "site", "state": "serving" | "degraded" | "failing" (no script that was asked for
//      could be imported) | "starting" | "stopped",
//      "reason": "..." (why a worker could not start, while that is so, or why a group is failing;
//      otherwise null),
//      "processes": 2, "threads": 15, "waiting": 0 (requests, for a worker),
//      "workers": [{
//        "slot": 0, "role": "worker" | "keeper" (kept beside the worker of the slot, for scripts
//        that this one could not import), "state": "empty" | "starting" | "ready" | "standby" (it
//        takes no requests until its successor is ready or it is put back) | "draining" | "dead",
//        "pid": 18, "generation": 1, "requests": 100, "busy_threads": 3, "resident_bytes": 0,
//        "processor_us": 0, "last_death": null
//        or {"generation": 1, "pid": 16, "time_us": 0, "description":
//        "..."}}],
//      "scripts": [{
//        "application_group": "" (the main interpreter), "script": "/srv/site.wsgi", "state":
//        "current" | "kept" (a worker could not import the present version, and one of before is
//        served) | "broken" (none is served), "reason": "..." (why it could not be imported; null
//        when it is current), "since_us": 0 (the same), "slots": [0] (whose workers have it)}],
//      "running": [{
//        "method": "GET", "path": "/cart" (without a query; ends with ... where it was too long),
//        "id": "..." (as in logs), "age_us": 0, "slot": 0 (of the worker that has it; null: it
//        waits for one, or runs in httpd's own process), "pid": 18 (of that worker, or of httpd's
//        child)}] (the oldest first)}],
//    "figures": {"pyhost_requests_total": [{"labels": {...}, "value": 0}], ...} (all metrics; see
//    metrics/figures_json.h)}
#pragma once

#include <cstddef>

namespace pyhost::control {

// The socket's path is WSGISocketPrefix and this. It stays the same over restarts of httpd.
inline constexpr char kOperatorSocketSuffix[] = ".control";
// The same of another socket, for httpd's user, who may give the command dump there.
inline constexpr char kStacksSocketSuffix[] = ".stacks";
// What httpd puts its sockets in when WSGISocketPrefix is not given: this, in its runtime folder.
inline constexpr char kDefaultSocketName[] = "wsgi";

inline constexpr std::size_t kOperatorRequestBytesMax = 4096;

}  // namespace pyhost::control
