// What a worker, or a lookout, is started with.
#pragma once

namespace pyhost::control {

// Besides 0 to 2. All others are close-on-exec.
inline constexpr int kWorkerListeningFd = 3;
inline constexpr int kWorkerStatusFd = 4;
inline constexpr int kWorkerSettingsFd = 5;
inline constexpr int kWorkerBoardFd = 6;    // good for reading only
inline constexpr int kWorkerReportsFd = 7;  // its own part of the scoreboard
inline constexpr int kWorkerMetricsFd = 8;  // memory of application metrics, or no memory at all
inline constexpr int kWorkerFds = 9;        // how many, 0 to 2 included

// Instead of all of them, for a rehearsal: "--try-plugin PATH GROUP".
inline constexpr char kTryPlugin[] = "--try-plugin";

}  // namespace pyhost::control
