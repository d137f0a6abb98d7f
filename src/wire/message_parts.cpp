#include "wire/message_parts.h"

namespace pyhost::wire {
namespace {

using gateway::EnvironEntry;
using gateway::EnvironKey;

// No element of a list is shorter.
constexpr std::size_t kEnvironEntryBytesMin = sizeof(std::uint16_t) + sizeof(std::uint32_t);
constexpr std::size_t kAnnotationBytesMin = sizeof(std::uint8_t) + 2 * sizeof(std::uint32_t);

void write_file(PayloadWriter& writer, const base::FileIdentity& file) {
  writer.number(file.device);
  writer.number(file.inode);
  writer.number(file.bytes);
  writer.number(file.modified_us);
  writer.number(file.changed_us);
}

base::FileIdentity read_file(PayloadReader& reader) {
  base::FileIdentity file;
  file.device = reader.number<std::uint64_t>();
  file.inode = reader.number<std::uint64_t>();
  file.bytes = reader.number<std::int64_t>();
  file.modified_us = reader.number<std::int64_t>();
  file.changed_us = reader.number<std::int64_t>();
  return file;
}

void write_entry(PayloadWriter& writer, const EnvironEntry& entry) {
  writer.number(static_cast<std::uint16_t>(entry.key));
  if (entry.key == EnvironKey::other) writer.text(entry.name);
  writer.text(entry.value);
}

EnvironEntry read_entry(PayloadReader& reader) {
  EnvironEntry entry;
  entry.key = EnvironKey(reader.up_to(static_cast<std::uint16_t>(EnvironKey::other)));
  if (entry.key == EnvironKey::other) entry.name = reader.text();
  entry.value = reader.text();
  return entry;
}

}  // namespace

void write_optional(PayloadWriter& writer, const std::optional<std::uint64_t>& value) {
  writer.flag(value.has_value());
  if (value) writer.number(*value);
}

std::optional<std::uint64_t> read_optional(PayloadReader& reader) {
  return reader.flag() ? std::optional(reader.number<std::uint64_t>()) : std::nullopt;
}

void write_target(PayloadWriter& writer, const gateway::Target& target) {
  writer.number(static_cast<std::uint8_t>(target.kind));
  writer.text(target.application_group);
  writer.text(target.script);
  writer.text(target.callable);
  writer.number(static_cast<std::uint8_t>(target.reloading));
  writer.number(static_cast<std::uint8_t>(target.protocol));
  write_file(writer, target.script_file);
  writer.text(target.resource);
}

gateway::Target read_target(PayloadReader& reader) {
  gateway::Target target;
  target.kind =
      gateway::TargetKind(reader.up_to(static_cast<std::uint8_t>(gateway::TargetKind::module)));
  target.application_group = reader.text();
  target.script = reader.text();
  target.callable = reader.text();
  target.reloading =
      gateway::Reloading(reader.up_to(static_cast<std::uint8_t>(gateway::Reloading::on)));
  target.protocol =
      gateway::Protocol(reader.up_to(static_cast<std::uint8_t>(gateway::Protocol::detected)));
  target.script_file = read_file(reader);
  target.resource = reader.text();
  return target;
}

void write_head(PayloadWriter& writer, const gateway::RequestHead& head) {
  writer.flag(head.https);
  writer.flag(head.is_head);
  writer.number(static_cast<std::uint8_t>(head.web_socket));
  writer.flag(head.ignores_activity);
  write_optional(writer, head.content_length);
  writer.number(head.start_us);
  writer.number(head.queue_start_us);
  writer.number(static_cast<std::uint32_t>(head.environ.size()));
  for (const EnvironEntry& entry : head.environ) write_entry(writer, entry);
}

gateway::RequestHead read_head(PayloadReader& reader, std::vector<EnvironEntry>& environ) {
  gateway::RequestHead head;
  head.https = reader.flag();
  head.is_head = reader.flag();
  head.web_socket = gateway::WebSocketOffer(
      reader.up_to(static_cast<std::uint8_t>(gateway::WebSocketOffer::malformed)));
  head.ignores_activity = reader.flag();
  head.content_length = read_optional(reader);
  head.start_us = reader.number<std::int64_t>();
  head.queue_start_us = reader.number<std::int64_t>();
  const std::uint32_t entries = reader.count(kEnvironEntryBytesMin);
  environ.clear();
  environ.reserve(entries);
  for (std::uint32_t i = 0; i < entries && reader.ok(); ++i) environ.push_back(read_entry(reader));
  head.environ = environ;
  return head;
}

void write_figures(PayloadWriter& writer, const gateway::RunFigures& figures) {
  writer.number(static_cast<std::uint64_t>(figures.application.count()));
  writer.number(static_cast<std::uint64_t>(figures.interpreter_wait.count()));
}

gateway::RunFigures read_figures(PayloadReader& reader) {
  // No run is older than the longest time that can be told.
  constexpr auto kMost = static_cast<std::uint64_t>(std::chrono::microseconds::max().count());
  gateway::RunFigures figures;
  figures.application = std::chrono::microseconds(reader.up_to(kMost));
  figures.interpreter_wait = std::chrono::microseconds(reader.up_to(kMost));
  return figures;
}

void write_annotations(PayloadWriter& writer, std::span<const gateway::Annotation> annotations) {
  writer.number(static_cast<std::uint32_t>(annotations.size()));
  for (const gateway::Annotation& annotation : annotations) {
    writer.number(static_cast<std::uint8_t>(annotation.kind));
    writer.text(annotation.name);
    writer.text(annotation.value);
  }
}

void read_annotations(PayloadReader& reader, std::vector<gateway::Annotation>& annotations) {
  using Kind = gateway::Annotation::Kind;
  const std::uint32_t count = reader.count(kAnnotationBytesMin);
  annotations.clear();
  for (std::uint32_t i = 0; i < count && reader.ok(); ++i) {
    const auto kind = Kind(reader.up_to(static_cast<std::uint8_t>(Kind::variable)));
    const std::string_view name = reader.text();
    annotations.push_back({kind, std::string(name), std::string(reader.text())});
  }
}

}  // namespace pyhost::wire
