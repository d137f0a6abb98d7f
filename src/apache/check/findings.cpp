#include "apache/check/findings.h"

#include <algorithm>

#include "apache/config/places.h"
#include "apache/log.h"
#include "apache/pool.h"

namespace pyhost::apache {
namespace {

base::LogLevel level_of(Severity severity) noexcept {
  switch (severity) {
    case Severity::error:
      return base::LogLevel::emerg;
    case Severity::warning:
      return base::LogLevel::warn;
    case Severity::advice:
      break;
  }
  return base::LogLevel::notice;
}

// "what is wrong; what to write instead (where)".
std::string record_of(const control::Finding& finding) {
  std::string text = finding.sentence;
  if (!finding.cure.empty()) text += "; " + finding.cure;
  return with_place(std::move(text), finding.place.empty() ? nullptr : finding.place.c_str());
}

}  // namespace

void Findings::add(const server_rec* s, Severity severity, base::Message message,
                   Diagnosis diagnosis, const char* place) {
  Entry entry{.server = s,
              .message = message,
              .finding = {.severity = severity,
                          .id = std::string(id_of(message)),
                          .place = std::string(view_or_empty(place)),
                          .sentence = std::move(diagnosis.sentence),
                          .cure = std::move(diagnosis.cure)}};
  const auto same = [&entry](const Entry& other) { return other.finding == entry.finding; };
  if (std::ranges::none_of(entries_, same)) entries_.push_back(std::move(entry));
}

bool Findings::prevent_start() const noexcept {
  return std::ranges::any_of(
      entries_, [](const Entry& entry) { return entry.finding.severity == Severity::error; });
}

std::vector<control::Finding> Findings::list() const {
  std::vector<control::Finding> findings;
  for (const Entry& entry : entries_) findings.push_back(entry.finding);
  std::ranges::stable_sort(findings, {}, &control::Finding::severity);
  return findings;
}

void Findings::log() const {
  for (const Entry& entry : entries_) {
    log_server(entry.server, level_of(entry.finding.severity), entry.message,
               record_of(entry.finding));
  }
}

}  // namespace pyhost::apache
