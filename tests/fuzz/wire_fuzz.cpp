// Any bytes as a stream of frames: nothing crashes, what is understood means the same again when it
// is sent on, and no reply gets more of a body than its head allows.

#include <cstdint>
#include <cstdlib>
#include <optional>
#include <vector>

#include "pyhost/gateway/response_rules.h"
#include "remote/reply_rules.h"
#include "wire/messages.h"
#include "wire/question_messages.h"

namespace {

using namespace pyhost;
using wire::FrameType;

void require(bool condition) {
  if (!condition) std::abort();
}

// Encodes a decoded message again: its payload must be the one it came from.
template <class F>
void require_same(std::string_view payload, F encode) {
  std::string out;
  encode(out);
  require(std::string_view(out).substr(wire::kHeaderBytes) == payload);
}

void require_one_line_each(std::span<const gateway::Header> headers) {
  for (const auto& [name, value] : headers) {
    require(!name.empty() && value.find('\n') == value.npos);
  }
}

// A reply as a httpd child takes it, by its own count.
class Reply {
 public:
  void take(FrameType type, std::string_view payload) {
    if (type == FrameType::head) return begin(payload);
    if (!begun_) return;
    if (type == FrameType::reply_body) admitted_ += rules_.admit(payload.size());
    if (type == FrameType::reply_file) take_file(payload);
    require(!length_ || admitted_ <= *length_);
    require(!bodiless_ || admitted_ == 0);
    require(!rules_.exceeded() || admitted_ == *length_);
    if (type == FrameType::end && rules_.end()) {
      require(bodiless_ || !length_ || admitted_ == *length_);
    }
  }

 private:
  void begin(std::string_view payload) {
    const auto head = wire::decode_head(payload, headers_, annotations_);
    if (begun_ || !head || !rules_.begin(*head)) return;
    begun_ = true;
    length_ = head->content_length;
    bodiless_ = head->status == 204 || head->status == 304;
    require(head->status >= 200 && head->reason.find('\n') == head->reason.npos);
    require_one_line_each(head->headers);
    for (const auto& [kind, name, value] : head->annotations) {
      require(value.find('\n') == value.npos && name.find(' ') == name.npos);
    }
  }

  void take_file(std::string_view payload) {
    const auto file = wire::decode_file(payload);
    if (!file) return;
    // No file travels with the input, so only the refusal can be seen.
    require(!rules_.admit_file({.fd = -1, .offset = file->offset, .length = file->length}));
  }

  remote::ReplyRules rules_{false};
  std::vector<gateway::Header> headers_;
  std::vector<gateway::Annotation> annotations_;
  bool begun_ = false;
  bool bodiless_ = false;
  std::optional<std::uint64_t> length_;
  std::uint64_t admitted_ = 0;
};

// What httpd's child makes of an answer to any question: nothing that could become a line of a log
// or a header by itself.
void take_answer(const gateway::Answer& answer) {
  for (int kind = 0; kind <= static_cast<int>(gateway::QuestionKind::dispatch); ++kind) {
    const auto question = static_cast<gateway::QuestionKind>(kind);
    if (!gateway::check_answer(question, answer)) continue;
    const auto is_one_line = [](std::string_view text) {
      return text.find_first_of("\r\n") == text.npos;
    };
    using Kind = gateway::Answer::Kind;
    if (answer.kind == Kind::text || answer.kind == Kind::user) {
      require(!answer.text.empty() && is_one_line(answer.text));
      for (const auto& note : answer.annotations) require(is_one_line(note.value));
    }
    if (answer.kind == Kind::reply) {
      require(answer.status >= 200 && answer.status <= 599);
      require(answer.body.size() <= gateway::kReplyBodyBytesMax);
      for (const auto& [name, value] : answer.headers) require(!name.empty() && is_one_line(value));
    }
    if (question == gateway::QuestionKind::dispatch) {
      require(answer.items.size() == gateway::kDispatchItems);
    }
    require(question != gateway::QuestionKind::access || answer.kind <= Kind::none);
  }
}

void take(FrameType type, std::string_view payload) {
  std::vector<gateway::EnvironEntry> environ;
  std::vector<gateway::Header> headers;
  std::vector<gateway::Annotation> annotations;
  switch (type) {
    case FrameType::request:
      if (const auto message = wire::decode_request(payload, environ)) {
        require_same(payload,
                     [&](std::string& out) { require(wire::encode_request(*message, out)); });
      }
      break;
    case FrameType::question:
      if (const auto message = wire::decode_question(payload, environ)) {
        require_same(payload,
                     [&](std::string& out) { require(wire::encode_question(*message, out)); });
      }
      break;
    case FrameType::answer:
      if (const auto answer = wire::decode_answer(payload)) {
        require_same(payload,
                     [&](std::string& out) { require(wire::encode_answer(*answer, out)); });
        take_answer(*answer);
      }
      break;
    case FrameType::leave:
      if (const auto leaving = wire::decode_leave(payload)) {
        require_same(payload, [&](std::string& out) { wire::encode_leave(*leaving, out); });
      }
      break;
    case FrameType::body_end:
      if (const auto fault = wire::decode_body_end(payload)) {
        require_same(payload, [&](std::string& out) { wire::encode_body_end(*fault, out); });
      }
      break;
    case FrameType::head:
      if (const auto head = wire::decode_head(payload, headers, annotations)) {
        require_same(payload, [&](std::string& out) { require(wire::encode_head(*head, out)); });
      }
      break;
    case FrameType::trailers:
      if (std::vector<gateway::Header> headers; wire::decode_headers(payload, headers)) {
        require_same(payload, [&](std::string& out) {
          require(wire::encode_headers(FrameType::trailers, headers, out));
        });
        if (gateway::check_trailers(headers)) require_one_line_each(headers);
      }
      break;
    case FrameType::early_hints:
      if (wire::decode_headers(payload, headers)) {
        require_same(payload, [&](std::string& out) {
          require(wire::encode_headers(wire::FrameType::early_hints, headers, out));
        });
        if (gateway::check_early_hints(headers)) require_one_line_each(headers);
      }
      break;
    case FrameType::reply_file:
      if (const auto file = wire::decode_file(payload)) {
        require_same(payload, [&](std::string& out) { wire::encode_file(*file, out); });
      }
      break;
    case FrameType::log:
      wire::decode_log(payload);
      break;
    case FrameType::record:
      // What is too long for a frame was cut by whoever has sent it.
      if (const auto record = wire::decode_record(payload)) {
        std::string out;
        wire::encode_record(*record, out);
        require(wire::decode_record(std::string_view(out).substr(wire::kHeaderBytes)).has_value());
      }
      break;
    case FrameType::hello:
      wire::build_of_hello(payload);
      // Whatever the build, a second HELLO says the same of the rest.
      if (const auto hello = wire::decode_hello(payload)) {
        std::string out;
        wire::encode_hello(*hello, out);
        const auto again = wire::decode_hello(std::string_view(out).substr(wire::kHeaderBytes));
        require(again && again->pid == hello->pid && again->generation == hello->generation &&
                again->capacity == hello->capacity);
      }
      break;
    case FrameType::error:
      wire::decode_error(payload);
      break;
    case FrameType::retry:
      wire::decode_retry(payload);
      break;
    case FrameType::greeting:
      require(wire::greets(payload, {}) ==
              (payload == std::string(gateway::GroupSecret::kBytes, '\0')));
      break;
    case FrameType::body:
    case FrameType::abort:
    case FrameType::cancel:
    case FrameType::reply_body:
    case FrameType::flush:
    case FrameType::need_body:
    case FrameType::want_body:
      break;
    case FrameType::counts:
      if (const auto counts = wire::decode_counts(payload)) {
        require_same(payload, [&](std::string& out) { wire::encode_counts(*counts, out); });
      }
      break;
    case FrameType::end:
      if (const auto figures = wire::decode_end(payload)) {
        require(figures->application.count() >= 0 && figures->interpreter_wait.count() >= 0);
      }
      break;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view stream(reinterpret_cast<const char*>(data), size);
  Reply reply;
  while (stream.size() >= wire::kHeaderBytes) {
    const auto header = wire::decode_header(
        std::span<const char, wire::kHeaderBytes>(stream.data(), wire::kHeaderBytes));
    if (!header) break;
    stream.remove_prefix(wire::kHeaderBytes);
    const std::string_view payload = stream.substr(0, header->payload_bytes);
    take(header->type, payload);
    reply.take(header->type, payload);
    stream.remove_prefix(payload.size());
  }
  return 0;
}
