#include "worker/refusal_frame.h"

#include "wire/messages.h"

namespace pyhost::worker {

using gateway::Outcome;

void encode_refusal(const Refusal& refusal, std::string& frame) {
  const Outcome& outcome = refusal.outcome;
  if (outcome.kind == Outcome::Kind::outdated) {
    wire::encode_retry({.reason = "the script has changed"}, frame);
  } else if (outcome.import_failed && !refusal.last_resort) {
    wire::encode_retry({.lacks_script = true, .reason = outcome.why}, frame);
  } else {
    wire::encode_error({.status = static_cast<std::uint16_t>(refusal.status),
                        .cause = outcome.import_failed ? outcome.why : refusal.cause,
                        .failure = refusal.failure,
                        .figures = outcome.figures},
                       frame);
  }
}

}  // namespace pyhost::worker
