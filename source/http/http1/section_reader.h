// SectionReader: finds the head of a message, or its trailer section: the lines up to and with the first empty one.
//
// It knows where lines end and that no control character stands in them; what the lines mean is for start_line.h and
// fields.h. Two ways through it that accept the same bytes and find the same fault first:
//   - the section stands whole in the first fragment: found in one scan, nothing is kept or copied here;
//   - else its bytes are collected in a slab of its own, and each line is checked when its end arrives, so that a
//     peer hears of its fault at once, and no byte is scanned twice however small the pieces are.
#pragma once

#include <cstdint>
#include <string_view>

#include "buffer/buffer.h"
#include "http/codec.h"
#include "http/http1/fault.h"

namespace sluice::http::http1 {

enum class Section : uint8_t { kRequestHead, kResponseHead, kTrailers };

// A whole section, and where its lines end: the offsets of their CRs, the empty line not among them. Sections with more
// lines than fit are whole too; count is 0 then, and their ends must be searched for.
struct LineEnds {
  static constexpr uint32_t kMax = 128;
  std::string_view bytes;
  uint32_t count;
  uint32_t at[kMax];
};

// Holds nothing between sections. Owned by its codec. Thread: worker.
class SectionReader {
 public:
  SectionReader(const CodecOptions& options, buffer::SlabPool& pool) : options_(options), pool_(pool) {}
  ~SectionReader() { drop(); }
  SectionReader(const SectionReader&) = delete;
  SectionReader& operator=(const SectionReader&) = delete;

  enum class Status : uint8_t {
    kMore,   // all of `in` was taken, the section is not complete
    kWhole,  // `lines` shows the section; call done() with it and the same buffer
    kFault,
  };
  // `lines` gets the whole section. (It lives for one call: an idle connection has none.)
  Status read(buffer::Buffer& in, Section section, LineEnds& lines);

  // Takes the section out of `in` or out of our slab.
  void done(buffer::Buffer& in, const LineEnds& lines);
  Fault fault() const { return fault_; }
  const CodecOptions& options() const { return options_; }
  buffer::SlabPool& pool() const { return pool_; }
  // Gives back what is held.
  void drop();

 private:
  Status read_slab(buffer::Buffer& in, Section section, LineEnds& lines);
  Status fail(Fault fault);
  void keep(std::string_view bytes);
  Fault check_line(Section section, std::string_view line);
  Fault check_start(Section section, std::string_view bytes) const;

  const CodecOptions& options_;
  buffer::SlabPool& pool_;
  buffer::Slab* slab_ = nullptr;  // the bytes of an incomplete section
  uint32_t scanned_ = 0;          // of the slab: where the scan goes on,
  uint32_t line_start_ = 0;       // where the current line begins,
  uint32_t checked_lines_ = 0;    // how many lines before it were checked
  bool skipped_empty_line_ = false;
  Fault fault_ = Fault::kNone;
};

}  // namespace sluice::http::http1
