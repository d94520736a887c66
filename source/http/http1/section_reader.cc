#include "http/http1/section_reader.h"

#include <algorithm>
#include <cstring>

#include "http/chars.h"
#include "http/http1/fields.h"
#include "http/http1/scan.h"
#include "http/http1/start_line.h"

namespace sluice::http::http1 {

namespace {

// What follows a section that came in pieces is not ours: it is looked for in steps, so that little of a body is
// copied for nothing.
constexpr size_t kStep = 4096;

}  // namespace

SectionReader::Status SectionReader::read(buffer::Buffer& in, Section section, LineEnds& lines) {
  // A server ignores one empty line before a request (RFC 9112 2.2), which old clients send after a body.
  if (section == Section::kRequestHead && slab_ == nullptr && !skipped_empty_line_ && in.front().starts_with("\r\n")) {
    skipped_empty_line_ = true;
    in.drain(2);
  }
  if (in.empty()) {
    return Status::kMore;
  }
  if (slab_ == nullptr) {
    const std::string_view front = in.front().substr(0, options_.max_head_bytes);
    const uint32_t end =
        find_section(front.data(), static_cast<uint32_t>(front.size()), lines.at, LineEnds::kMax, lines.count);
    if (end != 0 && (lines.count > 0 || section == Section::kTrailers)) {
      lines.bytes = front.substr(0, end);
      return Status::kWhole;
    }
  }
  return read_slab(in, section, lines);
}

SectionReader::Status SectionReader::read_slab(buffer::Buffer& in, Section section, LineEnds& lines) {
  while (!in.empty()) {
    const size_t used = slab_ != nullptr ? slab_->used : 0;
    if (used == options_.max_head_bytes) {
      return fail(Fault::kTooLarge);
    }
    const std::string_view more = in.front().substr(0, std::min<size_t>(kStep, options_.max_head_bytes - used));
    keep(more);
    Fault fault = check_start(section, {slab_->data(), slab_->used});
    if (fault != Fault::kNone) {
      return fail(fault);
    }
    const Scan scan = scan_lines(slab_->data(), slab_->used, scanned_, line_start_, [&](uint32_t start, uint32_t end) {
      fault = check_line(section, {slab_->data() + start, end - start});
      return fault == Fault::kNone;
    });
    scanned_ = scan.at;
    switch (scan.status) {
      case Scan::Status::kStopped:
        return fail(fault);
      case Scan::Status::kBad: {
        const std::string_view line(slab_->data() + line_start_, scan.at - line_start_);
        const char bad = slab_->data()[scan.at];
        // NUL and the like in a value are the one thing that has a name of its own.
        const bool in_value = (checked_lines_ > 0 || section == Section::kTrailers) &&
                              line.find(':') != std::string_view::npos && bad != '\n' && !line.ends_with('\r');
        return fail(in_value ? Fault::kCharacters : Fault::kMalformed);
      }
      case Scan::Status::kMore:
        in.drain(more.size());
        continue;
      case Scan::Status::kEnd:
        break;
    }
    if (scan.at == 2 && section != Section::kTrailers) {  // an empty line first
      if (section == Section::kResponseHead || skipped_empty_line_) {
        return fail(Fault::kMalformed);
      }
      in.drain(2 - used);
      drop();
      skipped_empty_line_ = true;
      return read(in, section, lines);
    }
    in.drain(scan.at - used);
    slab_->used = scan.at;
    lines.bytes = {slab_->data(), scan.at};
    lines.count = 0;
    return Status::kWhole;
  }
  return Status::kMore;
}

// Most of what is no HTTP shows with its first byte, and may never send a line end: a TLS ClientHello, for one.
Fault SectionReader::check_start(Section section, std::string_view bytes) const {
  if (section == Section::kRequestHead) {
    return is_token_char(bytes[0]) || bytes[0] == '\r' ? Fault::kNone : Fault::kMalformed;
  }
  if (section == Section::kResponseHead) {
    constexpr std::string_view kName = "HTTP/1.";
    return kName.starts_with(bytes.substr(0, kName.size())) ? Fault::kNone : Fault::kMalformed;
  }
  return Fault::kNone;
}

Fault SectionReader::check_line(Section section, std::string_view line) {
  const uint32_t index = checked_lines_++;
  if (index == 0 && section == Section::kRequestHead) {
    RequestLine request;
    return parse_request_line(line, options_, request);
  }
  if (index == 0 && section == Section::kResponseHead) {
    StatusLine status;
    return parse_status_line(line, status);
  }
  return check_field_line(line, section == Section::kTrailers ? index : index - 1, options_);
}

void SectionReader::keep(std::string_view bytes) {
  if (slab_ == nullptr || slab_->room() < bytes.size()) {
    buffer::Slab* bigger = nullptr;
    if (slab_ == nullptr) {
      bigger = pool_.take_whole(bytes.size());
    } else {
      bigger = pool_.take_whole(std::max<size_t>(slab_->used + bytes.size(), 2 * slab_->capacity));
      std::memcpy(bigger->data(), slab_->data(), slab_->used);
      bigger->used = slab_->used;
      buffer::SlabPool::release(slab_);
    }
    slab_ = bigger;
  }
  std::memcpy(slab_->data() + slab_->used, bytes.data(), bytes.size());
  slab_->used += static_cast<uint32_t>(bytes.size());
}

SectionReader::Status SectionReader::fail(Fault fault) {
  fault_ = fault;
  drop();
  return Status::kFault;
}

void SectionReader::done(buffer::Buffer& in, const LineEnds& lines) {
  if (slab_ == nullptr) {
    in.drain(lines.bytes.size());
  }
  drop();
  skipped_empty_line_ = false;
}

void SectionReader::drop() {
  if (slab_ != nullptr) {
    buffer::SlabPool::release(slab_);
    slab_ = nullptr;
  }
  scanned_ = line_start_ = checked_lines_ = 0;
}

}  // namespace sluice::http::http1
