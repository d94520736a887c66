#include "filters/http/decompressor/decompressor.h"

#include <span>

#include "base/strings.h"
#include "http/joined_fields.h"
#include "proxy/exchange.h"

namespace sluice::filters::decompressor {
namespace {

using http::BodyReader;
using http::Coding;
using http::End;
using http::Token;
using http::Unpacked;
using proxy::Exchange;
using proxy::Step;

// clang-format off
#define SLUICE_DECOMPRESSOR_STATS(X) \
  X(kCounter, kDecompressed, "decompressed") X(kCounter, kNotDecompressed, "not_decompressed") \
  X(kCounter, kTotalUncompressedBytes, "total_uncompressed_bytes") \
  X(kCounter, kTotalCompressedBytes, "total_compressed_bytes")
// clang-format on
SLUICE_STAT_BLOCK(DecompressorStat, SLUICE_DECOMPRESSOR_STATS)

// What the libraries say of bodies, in Envoy's words. Of each table the first counts what is wrong; the second what is
// wrong in a way of its own, for the libraries that tell it.
enum class LibraryStat : uint16_t { kError, kSpecial };
using stats::Kind;
constexpr stats::Definition kGzipStats[] = {
    {Kind::kCounter, "zlib_data_error"}, {Kind::kCounter, "zlib_buf_error"},    {Kind::kCounter, "zlib_errno"},
    {Kind::kCounter, "zlib_mem_error"},  {Kind::kCounter, "zlib_stream_error"}, {Kind::kCounter, "zlib_version_error"}};
constexpr stats::Definition kBrotliStats[] = {{Kind::kCounter, "brotli_error"},
                                              {Kind::kCounter, "brotli_output_overflow"},
                                              {Kind::kCounter, "brotli_redundant_input"}};
constexpr stats::Definition kZstdStats[] = {{Kind::kCounter, "zstd_generic_error"},
                                            {Kind::kCounter, "zstd_checksum_wrong_error"},
                                            {Kind::kCounter, "zstd_dictionary_error"},
                                            {Kind::kCounter, "zstd_memory_error"}};

struct Library {
  std::string_view name;  // in the names of statistics
  std::span<const stats::Definition> stats;
};
Library library_of(Coding coding) {
  switch (coding) {
    case Coding::kGzip:
      return {"gzip", kGzipStats};
    case Coding::kBrotli:
      return {"brotli", kBrotliStats};
    case Coding::kZstd:
      return {"zstd", kZstdStats};
  }
  return {};
}

// Thread: its worker's.
class DecompressorLocal final : public proxy::FilterLocal {
 public:
  DecompressorLocal(const proxy::FilterPlace& place, const Settings& settings) : registry_(place.local.registry) {
    const Library library = library_of(coding_of(settings.unpacking));
    const std::string prefix = cat(place.stat_prefix, "decompressor.", settings.library, ".", library.name, ".");
    ids_[0] = registry_.add_block<DecompressorStat>(cat(prefix, "request."));
    ids_[1] = registry_.add_block<DecompressorStat>(cat(prefix, "response."));
    ids_[2] = registry_.add_block(cat(prefix, "decompressor_library."), library.stats);
    request = place.local.cells.block<DecompressorStat>(ids_[0]);
    response = place.local.cells.block<DecompressorStat>(ids_[1]);
    errors = place.local.cells.block<LibraryStat>(ids_[2]);
  }
  ~DecompressorLocal() override {
    for (const stats::BlockId id : ids_) registry_.release_block(id);
  }
  stats::Block<DecompressorStat> request, response;
  stats::Block<LibraryStat> errors;

 private:
  stats::Registry& registry_;
  stats::BlockId ids_[3];
};

bool may_be_transformed(const http::HeaderMap& fields) {
  for (const std::string_view word : split(fields.get(Token::kCacheControl), ',')) {
    if (equal_ignore_case(trim(word), "no-transform")) return false;
  }
  return true;
}

// Takes our coding away when it is the first; false when it is not.
bool take_coding(http::HeaderMap& fields, std::string_view ours) {
  const std::string_view codings = http::joined(fields, "content-encoding");
  const size_t comma = codings.find(',');
  if (!equal_ignore_case(trim(codings.substr(0, comma)), ours)) return false;
  if (comma == std::string_view::npos) {
    fields.remove(Token::kContentEncoding);
  } else {
    fields.set(Token::kContentEncoding, trim(codings.substr(comma + 1)));
  }
  return true;
}

// Our coding becomes the last that is accepted, without a weight.
void advertise(http::HeaderMap& fields, std::string_view ours) {
  std::string accepted;
  for (const std::string_view item : split(fields.get(Token::kAcceptEncoding), ',')) {
    const std::string_view coding = trim(item);
    if (!coding.empty() && trim(coding.substr(0, coding.find(';'))) != ours) append(accepted, coding, ",");
  }
  fields.set_copy(Token::kAcceptEncoding, cat(accepted, ours));
}

// A body that is unpacked, and what is told of it in its trailers.
struct Body {
  BodyReader* reader = nullptr;  // null: it is not unpacked
  uint64_t packed = 0, unpacked = 0;
};

void tell(http::HeaderMap& trailers, const Settings& settings, const Body& body) {
  if (settings.packed_name.empty()) return;
  trailers.set_copy(settings.packed_name, cat(body.packed));
  trailers.set_copy(settings.unpacked_name, cat(body.unpacked));
}

// Lives in the exchange's arena. Thread: its exchange's.
class Decompressor final : public proxy::HttpFilter {
 public:
  Decompressor(const DecompressorFactory& factory, DecompressorLocal& local)
      : settings_(factory.settings()), coding_(coding_of(settings_.unpacking)), local_(local) {}

  Step on_request_headers(Exchange& exchange, http::RequestHeaders& request, End end) override {
    if (settings_.advertises) advertise(request.fields, name_of(coding_));
    request_.reader = begin(exchange, settings_.request, request.fields, end, local_.request);
    return Step::next();
  }
  Step on_request_data(Exchange& exchange, buffer::Buffer& data, End end) override {
    if (request_.reader == nullptr) return Step::next();
    if (!unpack(request_, data, local_.request)) return refuse(exchange, 400, "decompressor_bad_request");
    if (end == End::kYes && !settings_.packed_name.empty()) tell(exchange.add_trailers(), settings_, request_);
    return Step::next();
  }
  Step on_request_trailers(Exchange&, http::HeaderMap& trailers) override {
    if (request_.reader != nullptr) tell(trailers, settings_, request_);
    return Step::next();
  }
  Step on_response_headers(Exchange& exchange, http::ResponseHeaders& response, End end) override {
    response_.reader = begin(exchange, settings_.response, response.fields, end, local_.response);
    return Step::next();
  }
  Step on_response_data(Exchange& exchange, buffer::Buffer& data, End end) override {
    if (response_.reader == nullptr) return Step::next();
    if (!unpack(response_, data, local_.response)) return refuse(exchange, 502, "decompressor_bad_response");
    if (end == End::kYes && !settings_.packed_name.empty()) tell(exchange.add_trailers(), settings_, response_);
    return Step::next();
  }
  Step on_response_trailers(Exchange&, http::HeaderMap& trailers) override {
    if (response_.reader != nullptr) tell(trailers, settings_, response_);
    return Step::next();
  }

 private:
  BodyReader* begin(Exchange& exchange, const Direction& direction, http::HeaderMap& fields, End end,
                    stats::Block<DecompressorStat>& stats) const {
    if (end == End::kYes) return nullptr;
    if (!direction.enabled || (!direction.ignore_no_transform && !may_be_transformed(fields)) ||
        !take_coding(fields, name_of(coding_))) {
      stats.inc(DecompressorStat::kNotDecompressed);
      return nullptr;
    }
    stats.inc(DecompressorStat::kDecompressed);
    fields.remove(Token::kContentLength);
    return make_reader(exchange.arena(), settings_.unpacking);
  }

  bool unpack(Body& body, buffer::Buffer& data, stats::Block<DecompressorStat>& stats) {
    stats.add(DecompressorStat::kTotalCompressedBytes, data.size());
    body.packed += data.size();
    const Unpacked result = body.reader->read(data);
    if (result == Unpacked::kFine) {
      stats.add(DecompressorStat::kTotalUncompressedBytes, data.size());
      body.unpacked += data.size();
      return true;
    }
    const bool special = (coding_ == Coding::kBrotli && result == Unpacked::kTooMuch) ||
                         (coding_ == Coding::kZstd && result == Unpacked::kBadChecksum);
    if (special) local_.errors.inc(LibraryStat::kSpecial);
    // Brotli counts it beside; zstd instead.
    if (!special || coding_ == Coding::kBrotli) local_.errors.inc(LibraryStat::kError);
    return false;
  }

  static Step refuse(Exchange& exchange, uint16_t status, std::string_view details) {
    proxy::LocalReply reply;
    reply.status = status;
    reply.body = http::reason_phrase(status);
    reply.details = details;
    return exchange.reply(reply);
  }

  const Settings& settings_;
  const Coding coding_;
  DecompressorLocal& local_;
  Body request_, response_;
};

}  // namespace

std::unique_ptr<proxy::FilterLocal> DecompressorFactory::on_worker(const proxy::FilterPlace& place) const {
  return std::make_unique<DecompressorLocal>(place, settings_);
}

proxy::HttpFilter* DecompressorFactory::create(Exchange& exchange, proxy::FilterLocal* local) const {
  return exchange.arena().create<Decompressor>(*this, static_cast<DecompressorLocal&>(*local));
}

uint8_t DecompressorFactory::hooks() const { return proxy::hooks_of<Decompressor>(); }

}  // namespace sluice::filters::decompressor
