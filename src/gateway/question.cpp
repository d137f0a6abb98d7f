#include "pyhost/gateway/question.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/parse.h"
#include "pyhost/gateway/response_rules.h"

namespace pyhost::gateway {
namespace {

using Kind = Answer::Kind;

constexpr std::size_t kTextBytesMax = kAnnotationValueBytesMax;
constexpr std::size_t kHeadersMax = 64;
constexpr std::size_t kHeaderBytesMax = 16 * 1024;
constexpr int kReplyStatusMax = 599;

bool is_answer_to(QuestionKind question, Kind answer) noexcept {
  switch (question) {
    case QuestionKind::access:
      return answer == Kind::yes || answer == Kind::no || answer == Kind::none;
    case QuestionKind::password:
      return answer == Kind::yes || answer == Kind::no || answer == Kind::none ||
             answer == Kind::text;
    case QuestionKind::realm_hash:
      return answer == Kind::none || answer == Kind::text;
    case QuestionKind::groups:
    case QuestionKind::dispatch:
      return answer == Kind::items;
    case QuestionKind::authn:
      return answer == Kind::none || answer == Kind::user || answer == Kind::reply;
  }
  return false;
}

// What becomes a name in httpd.
base::Result<> check_text(std::string_view text) {
  if (text.empty()) return base::fail("an empty text");
  if (text.size() > kTextBytesMax) {
    return base::fail(fmt::format("a text of {} bytes, more than {}", text.size(), kTextBytesMax));
  }
  if (has_control_character(text)) {
    return base::fail(fmt::format("a text with a control character: '{}'", excerpt_of(text)));
  }
  return {};
}

base::Result<> check_items(QuestionKind question, const Answer& answer) {
  const auto& items = answer.items;
  if (question == QuestionKind::groups) {
    if (items.size() > kAnswerItemsMax) return base::fail(fmt::format("{} groups", items.size()));
    const bool complete = std::ranges::all_of(items, [](const auto& item) { return bool(item); });
    return complete ? base::Result<>() : base::fail("a group without a name");
  }
  if (items.size() != kDispatchItems) return base::fail(fmt::format("{} items", items.size()));
  for (const auto& item : items) {
    if (!item) continue;
    if (item->size() > kTextBytesMax || has_control_character(*item)) {
      return base::fail(fmt::format("a name that is too long or has a control character: '{}'",
                                    excerpt_of(*item)));
    }
  }
  return {};
}

base::Result<> check_reply(const Answer& answer) {
  if (answer.status < kStatusMin || answer.status > kReplyStatusMax) {
    return base::fail(
        fmt::format("a status of {}; give {} to {}", answer.status, kStatusMin, kReplyStatusMax));
  }
  if (answer.body.size() > kReplyBodyBytesMax) {
    return base::fail(
        fmt::format("a body of {} bytes, more than {}", answer.body.size(), kReplyBodyBytesMax));
  }
  if (!answer.body.empty() && forbids_body(answer.status)) {
    return base::fail(fmt::format("a body with status {}, which has none", answer.status));
  }
  std::size_t bytes = 0;
  for (const auto& [name, value] : answer.headers) {
    PH_TRY_VOID(check_header(name, value));
    if (base::equals_ignoring_case(name, "Content-Length")) {
      return base::fail("a Content-Length, which is the server's to say");
    }
    bytes += name.size() + value.size();
  }
  if (answer.headers.size() > kHeadersMax || bytes > kHeaderBytesMax) {
    return base::fail(fmt::format("{} headers of {} bytes, more than {} of {}",
                                  answer.headers.size(), bytes, kHeadersMax, kHeaderBytesMax));
  }
  return {};
}

}  // namespace

std::string_view function_of(QuestionKind kind) noexcept {
  switch (kind) {
    case QuestionKind::access:
      return "allow_access";
    case QuestionKind::password:
      return "check_password";
    case QuestionKind::realm_hash:
      return "get_realm_hash";
    case QuestionKind::groups:
      return "groups_for_user";
    case QuestionKind::authn:
      return "check_authn";
    case QuestionKind::dispatch:
      break;
  }
  return {};
}

base::Result<> check_answer(QuestionKind question, const Answer& answer) {
  if (!is_answer_to(question, answer.kind)) return base::fail("what is no answer to the question");
  switch (answer.kind) {
    case Kind::text:
    case Kind::user:
      PH_TRY_VOID(check_text(answer.text));
      return check_annotations(answer.annotations);
    case Kind::items:
      return check_items(question, answer);
    case Kind::reply:
      return check_reply(answer);
    case Kind::yes:
    case Kind::no:
    case Kind::none:
      break;
  }
  return {};
}

}  // namespace pyhost::gateway
