#include "control/work_answer.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/printable.h"

namespace pyhost::control {
namespace {

using base::printable;

// Indented, so that nothing which a worker says can be taken for a line of ours.
void append_indented(std::string& text, std::string_view lines) {
  while (!lines.empty()) {
    const auto end = std::min(lines.find('\n'), lines.size());
    fmt::format_to(std::back_inserter(text), "  {}\n", printable(lines.substr(0, end)));
    lines.remove_prefix(std::min(end + 1, lines.size()));
  }
}

void append(std::string& text, std::string_view group, const WorkerWork& worker) {
  fmt::format_to(std::back_inserter(text), "{} {} of process group {}, pid {}, generation {}\n",
                 printable(worker.role), worker.slot, printable(group), worker.pid,
                 worker.generation);
  append_indented(text, worker.text);
  if (worker.problem) append_indented(text, *worker.problem);
}

}  // namespace

std::string work_text(std::string_view group, const std::vector<WorkerWork>& workers) {
  std::string text;
  for (const WorkerWork& worker : workers) {
    if (!text.empty()) text += '\n';
    append(text, group, worker);
  }
  if (text.empty()) text = fmt::format("Process group {} has no workers.\n", printable(group));
  return text;
}

}  // namespace pyhost::control
