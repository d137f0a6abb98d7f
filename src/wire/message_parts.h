// What frames have in common: how they are put together, and the parts that several have.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "pyhost/gateway/annotation.h"
#include "pyhost/gateway/request_head.h"
#include "pyhost/gateway/run_figures.h"
#include "pyhost/gateway/target.h"
#include "wire/frame.h"
#include "wire/payload.h"

namespace pyhost::wire {

// No header is shorter, in a list of them.
inline constexpr std::size_t kHeaderEntryBytesMin = 2 * sizeof(std::uint32_t);

// Encodes a frame whose payload `write` appends, and puts the length in afterwards. False, with
// nothing appended, when it is too large.
template <class F>
bool encode_frame(FrameType type, std::string& out, F write) {
  const std::size_t start = out.size();
  out.append(kHeaderBytes, '\0');
  PayloadWriter writer(out);
  write(writer);
  const std::size_t payload_bytes = out.size() - start - kHeaderBytes;
  if (payload_bytes > payload_bytes_max(type)) {
    out.resize(start);
    return false;
  }
  const HeaderBytes header = encode_header({type, static_cast<std::uint32_t>(payload_bytes)});
  std::ranges::copy(header, out.begin() + static_cast<std::ptrdiff_t>(start));
  return true;
}

template <class T>
std::optional<T> when_complete(const PayloadReader& reader, T message) {
  return reader.complete() ? std::optional<T>(std::move(message)) : std::nullopt;
}

void write_optional(PayloadWriter& writer, const std::optional<std::uint64_t>& value);
std::optional<std::uint64_t> read_optional(PayloadReader& reader);

void write_target(PayloadWriter& writer, const gateway::Target& target);
gateway::Target read_target(PayloadReader& reader);

// `environ` receives what the head then points to.
void write_head(PayloadWriter& writer, const gateway::RequestHead& head);
gateway::RequestHead read_head(PayloadReader& reader, std::vector<gateway::EnvironEntry>& environ);

void write_figures(PayloadWriter& writer, const gateway::RunFigures& figures);
gateway::RunFigures read_figures(PayloadReader& reader);

void write_annotations(PayloadWriter& writer, std::span<const gateway::Annotation> annotations);
void read_annotations(PayloadReader& reader, std::vector<gateway::Annotation>& annotations);

}  // namespace pyhost::wire
