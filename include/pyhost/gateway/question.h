// What httpd asks a hook script about a request, and what the script may answer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tl/expected.hpp>

#include "pyhost/base/result.h"
#include "pyhost/gateway/annotation.h"
#include "pyhost/gateway/outcome.h"
#include "pyhost/gateway/request_head.h"

namespace pyhost::gateway {

enum class QuestionKind : std::uint8_t {
  access,      // may this client have it? allow_access(environ, host)
  password,    // is it the user's password? check_password(environ, user, password)
  realm_hash,  // what is the user's digest? get_realm_hash(environ, user, realm)
  groups,      // which groups is the user in? groups_for_user(environ, user)
  authn,       // who is it? check_authn(environ)
  dispatch,    // what is to run it? process_group(environ) and its like
};

// "allow_access" for access; empty for dispatch, which has several.
std::string_view function_of(QuestionKind kind) noexcept;

// Views; whoever asks keeps the texts alive.
struct Question {
  QuestionKind kind = QuestionKind::access;
  RequestHead head;
  // Of access: the client's host name, or its address; of password, realm_hash and groups: the
  // user's name, any bytes.
  std::string_view subject;
  // Of password: the password, any bytes; it is in no log, and copies of it are wiped. Of
  // realm_hash: the realm.
  std::string_view secret;
};

// One answer. Which members count depends on its kind, and which kinds there may be on the
// question: see check_answer().
struct Answer {
  enum class Kind : std::uint8_t {
    yes,
    no,
    none,   // the script has no opinion, or does not know the user
    text,   // `text`: the user's name, instead of the one that was sent; the hash
    items,  // `items`: names of groups; or what runs the request, nothing where that is left alone
    user,   // `text` is who it is, with `annotations`
    reply,  // the client gets `status`, `headers` and `body`
  };
  Kind kind = Kind::none;
  std::string text;
  std::vector<std::optional<std::string>> items;
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::vector<Annotation> annotations;

  bool operator==(const Answer&) const = default;
};

// The items of an answer to dispatch.
enum class DispatchItem : std::size_t { process_group, application_group, callable };
inline constexpr std::size_t kDispatchItems = 3;

inline constexpr std::size_t kAnswerItemsMax = 10'000;
inline constexpr std::size_t kReplyBodyBytesMax = 8192;

// Whether it is one for that question: of a kind that makes sense, within bounds, without control
// characters where it meets logs and headers. The process that runs the script holds it to this,
// and httpd's child holds that process to it. The error is a sentence that goes on from "the script
// answered".
base::Result<> check_answer(QuestionKind question, const Answer& answer);

// An answer, or why there is none: Outcome::Kind::refused with a status of 500 or more, or
// outdated. Whoever asks takes that for a denial.
using AskResult = tl::expected<Answer, Outcome>;

}  // namespace pyhost::gateway
