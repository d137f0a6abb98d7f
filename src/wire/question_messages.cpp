#include "wire/question_messages.h"

#include "wire/message_parts.h"

namespace pyhost::wire {
namespace {

using gateway::EnvironEntry;

// At least as many bytes as the payload will have.
std::size_t size_of(const QuestionMessage& message) noexcept {
  constexpr std::size_t kNumbersMax = 256;
  constexpr std::size_t kNumbersOfEntry = 16;
  const auto& [target, question, last_resort] = message;
  std::size_t bytes = kNumbersMax + target.application_group.size() + target.script.size() +
                      target.callable.size() + target.resource.size() + question.subject.size() +
                      question.secret.size();
  for (const EnvironEntry& entry : question.head.environ) {
    bytes += kNumbersOfEntry + entry.name.size() + entry.value.size();
  }
  return bytes;
}

}  // namespace

bool encode_question(const QuestionMessage& message, std::string& out) {
  out.reserve(out.size() + kHeaderBytes + size_of(message));
  return encode_frame(FrameType::question, out, [&](PayloadWriter& writer) {
    write_target(writer, message.target);
    writer.number(static_cast<std::uint8_t>(message.question.kind));
    write_head(writer, message.question.head);
    writer.text(message.question.subject);
    writer.text(message.question.secret);
    writer.flag(message.last_resort);
  });
}

std::optional<QuestionMessage> decode_question(std::string_view payload,
                                               std::vector<EnvironEntry>& environ) {
  using gateway::QuestionKind;
  PayloadReader reader(payload);
  QuestionMessage message;
  message.target = read_target(reader);
  message.question.kind =
      QuestionKind(reader.up_to(static_cast<std::uint8_t>(QuestionKind::dispatch)));
  message.question.head = read_head(reader, environ);
  message.question.subject = reader.text();
  message.question.secret = reader.text();
  message.last_resort = reader.flag();
  return when_complete(reader, message);
}

bool encode_answer(const gateway::Answer& answer, std::string& out) {
  return encode_frame(FrameType::answer, out, [&](PayloadWriter& writer) {
    writer.number(static_cast<std::uint8_t>(answer.kind));
    writer.text(answer.text);
    writer.number(static_cast<std::uint32_t>(answer.items.size()));
    for (const auto& item : answer.items) {
      writer.flag(item.has_value());
      if (item) writer.text(*item);
    }
    writer.number(static_cast<std::uint16_t>(answer.status));
    writer.number(static_cast<std::uint32_t>(answer.headers.size()));
    for (const auto& [name, value] : answer.headers) {
      writer.text(name);
      writer.text(value);
    }
    writer.text(answer.body);
    write_annotations(writer, answer.annotations);
  });
}

std::optional<gateway::Answer> decode_answer(std::string_view payload) {
  using gateway::Answer;
  PayloadReader reader(payload);
  Answer answer;
  answer.kind = Answer::Kind(reader.up_to(static_cast<std::uint8_t>(Answer::Kind::reply)));
  answer.text = reader.text();
  const auto items = reader.up_to(static_cast<std::uint32_t>(gateway::kAnswerItemsMax));
  for (std::uint32_t i = 0; i < items && reader.ok(); ++i) {
    const bool there = reader.flag();
    answer.items.push_back(there ? std::optional(std::string(reader.text())) : std::nullopt);
  }
  answer.status = reader.number<std::uint16_t>();
  const std::uint32_t headers = reader.count(kHeaderEntryBytesMin);
  for (std::uint32_t i = 0; i < headers && reader.ok(); ++i) {
    const std::string_view name = reader.text();
    answer.headers.emplace_back(name, reader.text());
  }
  answer.body = reader.text();
  read_annotations(reader, answer.annotations);
  return when_complete(reader, std::move(answer));
}

}  // namespace pyhost::wire
