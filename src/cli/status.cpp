#include "cli/status.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <optional>
#include <thread>

#include "base/clock.h"
#include "cli/operate.h"
#include "cli/operator_connection.h"

namespace pyhost::cli {
namespace {

struct Look {
  base::TimePoint at;
  Activities activities;
};

StatusCode code_of(const std::string& state) {
  if (state == control::kServingState) return StatusCode::serving;
  const bool impaired = state == control::kDegradedState || state == control::kStartingState;
  return impaired ? StatusCode::impaired : StatusCode::down;
}

ActivityLines lines_of(const Look& now, const std::optional<Look>& before) {
  ActivityLines lines;
  for (const auto& [group, activity] : now.activities) {
    const GroupActivity* earlier = nullptr;
    if (before) {
      const auto found = before->activities.find(group);
      if (found != before->activities.end()) earlier = &found->second;
    }
    lines[group] = earlier == nullptr
                       ? describe(activity)
                       : describe(since(*earlier, activity), base::seconds(now.at - before->at));
  }
  return lines;
}

// Looks at the groups, and remembers what it has seen.
class StatusView {
 public:
  explicit StatusView(const OperateOptions& options) : options_(options) {}

  // Prints what is to be seen now; the error is to be told.
  base::Result<StatusCode> show() {
    PH_TRY(socket, operator_socket(options_));
    PH_TRY(answer, ask_supervisor(socket, request_line(options_)));
    PH_TRY_VOID(refusal_in(answer));
    PH_TRY(status, control::parse_status_answer(answer));
    PH_TRY(text, text_of(answer));
    const bool takes_the_screen = options_.watch && isatty(STDOUT_FILENO) != 0;
    if (takes_the_screen) {
      print_screen(text);
    } else {
      fmt::print("{}{}", text, options_.watch && !options_.json ? "\n" : "");
    }
    std::fflush(stdout);
    return status_code(status);
  }

 private:
  base::Result<std::string> text_of(const std::string& answer) {
    if (options_.json) return ascii_of(answer) + '\n';
    const Look now{.at = base::Clock::now(), .activities = activities_in(answer)};
    const ActivityLines lines = lines_of(now, before_);
    before_ = now;
    return status_table(answer, lines, base::now_us());
  }

  // In place of what was there, without a moment in which the screen is empty.
  static void print_screen(std::string_view text) {
    constexpr char kHome[] = "\033[H", kClearLine[] = "\033[K\n", kClearBelow[] = "\033[J";
    std::string screen =
        fmt::format("{}{:%H:%M:%S}{}", kHome, fmt::localtime(std::time(nullptr)), kClearLine);
    for (; !text.empty(); text.remove_prefix(std::min(text.find('\n') + 1, text.size()))) {
      screen += text.substr(0, text.find('\n'));
      screen += kClearLine;
    }
    fmt::print("{}{}", screen, kClearBelow);
  }

  const OperateOptions& options_;
  std::optional<Look> before_;
};

int tell(const base::Error& error) {
  fmt::print(stderr, "pyhost: {}\n", error.sentence);
  return static_cast<int>(StatusCode::unknown);
}

}  // namespace

StatusCode status_code(const control::StatusAnswer& status) {
  StatusCode worst = StatusCode::serving;
  for (const auto& group : status.groups) worst = std::max(worst, code_of(group.state));
  return worst;
}

int show_status(const OperateOptions& options) {
  StatusView view(options);
  const auto first = view.show();
  if (!first) return tell(first.error());
  // Until it is interrupted. A httpd that is being restarted comes back.
  while (options.watch) {
    std::this_thread::sleep_for(std::chrono::duration<double>(options.interval));
    if (const auto shown = view.show(); !shown) tell(shown.error());
  }
  return static_cast<int>(*first);
}

}  // namespace pyhost::cli
