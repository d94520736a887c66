#include "http/http1/body_reader.h"

#include <algorithm>
#include <cstring>

#include "http/http1/fields.h"

namespace sluice::http::http1 {

BodyReader::Status BodyReader::read(buffer::Buffer& in, buffer::Buffer& data, Arena& arena) {
  switch (framing_) {
    case Framing::kUntilClose:
      data.move_from(in);
      return Status::kMore;
    case Framing::kLength: {
      const size_t bytes = static_cast<size_t>(std::min<uint64_t>(left_, in.size()));
      data.move_from(in, bytes);
      left_ -= bytes;
      return left_ == 0 ? Status::kEnd : Status::kMore;
    }
    case Framing::kChunked:
      switch (chunks_.decode(in, data)) {
        case ChunkedDecoder::Status::kMore:
          return Status::kMore;
        case ChunkedDecoder::Status::kBad:
          return fail(Fault::kMalformed);
        case ChunkedDecoder::Status::kLast:
          framing_ = Framing::kTrailers;
          break;
      }
      [[fallthrough]];
    case Framing::kTrailers:
      return read_trailers(in, arena);
  }
  return Status::kMore;
}

BodyReader::Status BodyReader::read_trailers(buffer::Buffer& in, Arena& arena) {
  LineEnds lines;
  switch (sections_.read(in, Section::kTrailers, lines)) {
    case SectionReader::Status::kMore:
      return Status::kMore;
    case SectionReader::Status::kFault:
      return fail(sections_.fault());
    case SectionReader::Status::kWhole:
      break;
  }
  trailers_ = nullptr;
  if (lines.bytes.size() > 2) {
    if (const Fault fault = parse_trailers(lines, arena); fault != Fault::kNone) {
      sections_.drop();
      return fail(fault);
    }
  }
  sections_.done(in, lines);
  return trailers_ != nullptr ? Status::kTrailers : Status::kEnd;
}

Fault BodyReader::parse_trailers(const LineEnds& lines, Arena& arena) {
  const std::string_view bytes = lines.bytes;
  const CodecOptions& options = sections_.options();
  if (!options.enable_trailers) {
    uint32_t index = 0;
    for (size_t at = 0; bytes[at] != '\r'; ++index) {
      const size_t end = bytes.find('\r', at);
      if (const Fault fault = check_field_line(bytes.substr(at, end - at), index, options); fault != Fault::kNone) {
        return fault;
      }
      at = end + 2;
    }
    return Fault::kNone;
  }
  const SectionCopy section(lines, Section::kTrailers, arena);
  auto* trailers = arena.create<HeaderMap>(arena);
  FieldFacts facts;
  const Fault fault = parse_fields(section, 0, 0, options, *trailers, facts);
  if (fault != Fault::kNone) {
    return fault;
  }
  trailer_bytes_ = facts.bytes;
  trailers->remove_if([](const HeaderField& field) { return forbidden_in_trailers(field.token); });
  trailers_ = trailers->empty() ? nullptr : trailers;
  return Fault::kNone;
}

}  // namespace sluice::http::http1
