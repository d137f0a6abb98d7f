#include "supervisor/operators/work_inquiry.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "control/worker_orders.h"

namespace pyhost::supervisor {

WorkInquiry::WorkInquiry(os::EventLoop& loop, std::vector<WorkQuestion> questions,
                         base::TimePoint now)
    : loop_(loop), questions_(std::move(questions)), deadline_(now + kWorkPatience) {
  for (WorkQuestion& question : questions_) {
    if (!question.answer.valid()) continue;
    const auto watched = loop_.watch(question.answer.get(), [this, &question] { hear(question); });
    if (watched) continue;
    question.answer.reset();
    question.work.problem = watched.error().sentence;
  }
}

WorkInquiry::~WorkInquiry() {
  for (WorkQuestion& question : questions_) end(question);
}

void WorkInquiry::hear(WorkQuestion& question) {
  std::array<char, 16'384> buffer;
  const ssize_t got = ::read(question.answer.get(), buffer.data(), buffer.size());
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  std::string& text = question.work.text;
  if (got > 0) text.append(buffer.data(), static_cast<std::size_t>(got));
  if (got > 0 && text.size() < control::kWorkTextMax) return;
  if (got > 0) question.work.problem = "it has more to say than is shown";
  if (text.empty()) question.work.problem = "it has ended, or has not said what it does";
  end(question);
}

void WorkInquiry::end(WorkQuestion& question) noexcept {
  if (!question.answer.valid()) return;
  loop_.forget(question.answer.get());
  question.answer.reset();
}

std::optional<std::string> WorkInquiry::answer(base::TimePoint now) {
  const auto is_heard = [](const WorkQuestion& question) { return !question.answer.valid(); };
  if (now < deadline_ && !std::ranges::all_of(questions_, is_heard)) return std::nullopt;
  std::vector<control::WorkerWork> workers;
  for (WorkQuestion& question : questions_) {
    if (!is_heard(question)) {
      question.work.problem =
          fmt::format("it has not said within {:g} s what it does", base::seconds(kWorkPatience));
    }
    workers.push_back(std::move(question.work));
  }
  return control::work_answer(workers);
}

}  // namespace pyhost::supervisor
