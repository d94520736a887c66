#include "filters/http/decompressor/decompressor.h"

#include "base/strings.h"
#include "proxy/exchange.h"

namespace sluice::filters::decompressor {
namespace {

using http::End;
using http::GzipReader;
using http::Token;
using proxy::Exchange;
using proxy::Step;

// clang-format off
#define SLUICE_DECOMPRESSOR_STATS(X) \
  X(kCounter, kDecompressed, "decompressed") X(kCounter, kNotDecompressed, "not_decompressed") \
  X(kCounter, kTotalUncompressedBytes, "total_uncompressed_bytes") \
  X(kCounter, kTotalCompressedBytes, "total_compressed_bytes")
// clang-format on
SLUICE_STAT_BLOCK(DecompressorStat, SLUICE_DECOMPRESSOR_STATS)

// Thread: its worker's.
class DecompressorLocal final : public proxy::FilterLocal {
 public:
  DecompressorLocal(const proxy::FilterPlace& place, const Settings& settings) : registry_(place.local.registry) {
    const std::string prefix = cat(place.stat_prefix, "decompressor.", settings.library, ".gzip.");
    ids_[0] = registry_.add_block<DecompressorStat>(cat(prefix, "request."));
    ids_[1] = registry_.add_block<DecompressorStat>(cat(prefix, "response."));
    request = place.local.cells.block<DecompressorStat>(ids_[0]);
    response = place.local.cells.block<DecompressorStat>(ids_[1]);
  }
  ~DecompressorLocal() override {
    for (const stats::BlockId id : ids_) registry_.release_block(id);
  }
  stats::Block<DecompressorStat> request, response;

 private:
  stats::Registry& registry_;
  stats::BlockId ids_[2];
};

bool may_be_transformed(const http::HeaderMap& fields) {
  for (const std::string_view word : split(fields.get(Token::kCacheControl), ',')) {
    if (equal_ignore_case(trim(word), "no-transform")) return false;
  }
  return true;
}

// Takes gzip away when it is the first coding; false when it is not.
bool take_coding(http::HeaderMap& fields) {
  const std::string_view codings = fields.get(Token::kContentEncoding);
  const size_t comma = codings.find(',');
  if (trim(codings.substr(0, comma)) != "gzip") return false;
  if (comma == std::string_view::npos) {
    fields.remove(Token::kContentEncoding);
  } else {
    fields.set(Token::kContentEncoding, trim(codings.substr(comma + 1)));
  }
  return true;
}

// Lives in the exchange's arena. Thread: its exchange's.
class Decompressor final : public proxy::HttpFilter {
 public:
  Decompressor(const DecompressorFactory& factory, DecompressorLocal& local)
      : settings_(factory.settings()), local_(local) {}

  Step on_request_headers(Exchange& exchange, http::RequestHeaders& request, End end) override {
    if (settings_.advertises) request.fields.append_value(Token::kAcceptEncoding, "gzip");
    request_ = begin(exchange, settings_.request, request.fields, end, local_.request);
    return Step::next();
  }
  Step on_request_data(Exchange& exchange, buffer::Buffer& data, End) override {
    if (request_ != nullptr && !unpack(*request_, data, local_.request))
      return refuse(exchange, 400, "decompressor_bad_request");
    return Step::next();
  }
  Step on_response_headers(Exchange& exchange, http::ResponseHeaders& response, End end) override {
    response_ = begin(exchange, settings_.response, response.fields, end, local_.response);
    return Step::next();
  }
  Step on_response_data(Exchange& exchange, buffer::Buffer& data, End) override {
    if (response_ != nullptr && !unpack(*response_, data, local_.response))
      return refuse(exchange, 502, "decompressor_bad_response");
    return Step::next();
  }

 private:
  GzipReader* begin(Exchange& exchange, const Direction& direction, http::HeaderMap& fields, End end,
                    stats::Block<DecompressorStat>& stats) const {
    if (end == End::kYes) return nullptr;
    if (!direction.enabled || (!direction.ignore_no_transform && !may_be_transformed(fields)) || !take_coding(fields)) {
      stats.inc(DecompressorStat::kNotDecompressed);
      return nullptr;
    }
    stats.inc(DecompressorStat::kDecompressed);
    fields.remove(Token::kContentLength);
    return exchange.arena().create<GzipReader>(settings_.gzip);
  }

  static bool unpack(GzipReader& reader, buffer::Buffer& data, stats::Block<DecompressorStat>& stats) {
    stats.add(DecompressorStat::kTotalCompressedBytes, data.size());
    const bool fine = reader.read(data) == GzipReader::Result::kFine;
    stats.add(DecompressorStat::kTotalUncompressedBytes, fine ? data.size() : 0);
    return fine;
  }

  static Step refuse(Exchange& exchange, uint16_t status, std::string_view details) {
    proxy::LocalReply reply;
    reply.status = status;
    reply.body = http::reason_phrase(status);
    reply.details = details;
    return exchange.reply(reply);
  }

  const Settings& settings_;
  DecompressorLocal& local_;
  GzipReader* request_ = nullptr;
  GzipReader* response_ = nullptr;
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
