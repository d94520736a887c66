#include "filters/http/compressor/compressor.h"

#include <algorithm>

#include "base/strings.h"
#include "filters/http/compressor/coding_choice.h"
#include "http/joined_fields.h"
#include "proxy/exchange.h"

namespace sluice::filters::compressor {
namespace {

using http::BodyWriter;
using http::End;
using http::Token;
using proxy::Exchange;
using proxy::Step;
using Then = BodyWriter::Then;

// clang-format off
#define SLUICE_COMPRESSION_STATS(X) \
  X(kCounter, kCompressed, "compressed") X(kCounter, kNotCompressed, "not_compressed") \
  X(kCounter, kTotalUncompressedBytes, "total_uncompressed_bytes") \
  X(kCounter, kTotalCompressedBytes, "total_compressed_bytes") \
  X(kCounter, kContentLengthTooSmall, "content_length_too_small")
#define SLUICE_ACCEPT_STATS(X) \
  X(kCounter, kNoAcceptHeader, "no_accept_header") X(kCounter, kHeaderIdentity, "header_identity") \
  X(kCounter, kHeaderCompressorUsed, "header_compressor_used") \
  X(kCounter, kHeaderCompressorOvershadowed, "header_compressor_overshadowed") \
  X(kCounter, kHeaderWildcard, "header_wildcard") X(kCounter, kHeaderNotValid, "header_not_valid") \
  X(kCounter, kNotCompressedEtag, "not_compressed_etag")
// clang-format on
SLUICE_STAT_BLOCK(CompressionStat, SLUICE_COMPRESSION_STATS)
SLUICE_STAT_BLOCK(AcceptStat, SLUICE_ACCEPT_STATS)

// In the names of statistics.
std::string_view library_name(http::Coding coding) {
  return coding == http::Coding::kBrotli ? "brotli" : name_of(coding);
}

// Thread: its worker's.
class CompressorLocal final : public proxy::FilterLocal {
 public:
  CompressorLocal(const proxy::FilterPlace& place, const Settings& settings) : registry_(place.local.registry) {
    const std::string prefix =
        cat(place.stat_prefix, "compressor.", settings.library, ".", library_name(coding_of(settings.packing)), ".");
    ids_[0] = registry_.add_block<CompressionStat>(cat(prefix, "request."));
    ids_[1] = registry_.add_block<CompressionStat>(cat(prefix, settings.response_stat_prefix));
    ids_[2] = registry_.add_block<AcceptStat>(prefix);
    request = place.local.cells.block<CompressionStat>(ids_[0]);
    response = place.local.cells.block<CompressionStat>(ids_[1]);
    accept = place.local.cells.block<AcceptStat>(ids_[2]);
  }
  ~CompressorLocal() override {
    for (const stats::BlockId id : ids_) registry_.release_block(id);
  }
  stats::Block<CompressionStat> request, response;
  stats::Block<AcceptStat> accept;

 private:
  stats::Registry& registry_;
  stats::BlockId ids_[3];
};

// A body of unknown length may be long.
bool is_long_enough(const Direction& direction, const http::HeaderMap& fields) {
  const std::string_view length = fields.get(Token::kContentLength);
  return length.data() == nullptr || parse_number<uint64_t>(length).value_or(0) >= direction.min_length;
}

bool has_word(std::string_view list, std::string_view word) {
  for (const std::string_view item : split(list, ',')) {
    if (equal_ignore_case(trim(item), word)) return true;
  }
  return false;
}

bool may_be_transformed(const http::HeaderMap& fields) {
  return !has_word(fields.get("cache-control"), "no-transform");
}

// As Envoy does: what stands there in other letters is not found.
void add_vary(http::HeaderMap& fields) {
  const std::string_view vary = http::joined(fields, "vary");
  if (vary.data() == nullptr) {
    fields.add("vary", "Accept-Encoding");
    return;
  }
  for (const std::string_view item : split(vary, ',')) {
    if (trim(item) == "Accept-Encoding") return;
  }
  fields.set_copy("vary", cat(vary, ", Accept-Encoding"));
}

// What the compressors of the exchange's chain, and of its try's, can do with its answer. Those that CompressorPerRoute
// or their direction switches off take part, as in Envoy: what such a one is chosen for is not packed.
CodingOffers offers_of(const Exchange& exchange, std::string_view content_type) {
  CodingOffers offers;
  const auto add = [&](const std::vector<model::FilterPlan>& filters) {
    for (const model::FilterPlan& plan : filters) {
      const auto* const factory = dynamic_cast<const CompressorFactory*>(plan.config.get());
      if (factory == nullptr || !exchange.in_force(plan)) continue;
      const Settings& settings = factory->settings();
      if (settings.response.takes_type(content_type)) offers.add({factory->coding(), settings.choose_first});
    }
  };
  add(exchange.plan().filters);
  if (exchange.try_filters() != nullptr) add(*exchange.try_filters());
  return offers;
}

// Lives in the exchange's arena. Thread: its exchange's.
class Compressor final : public proxy::HttpFilter {
 public:
  Compressor(const CompressorFactory& factory, CompressorLocal& local) : factory_(factory), local_(local) {}

  Step on_request_headers(Exchange& exchange, http::RequestHeaders& request, End end) override {
    const Settings& settings = factory_.settings();
    const auto* const route = exchange.settings_for<RouteSettings>(factory_.name());
    off_ = route != nullptr && route->disabled;
    if (off_) return Step::next();
    http::HeaderMap& fields = request.fields;
    accept_encoding_ = exchange.arena().copy(fields.get(Token::kAcceptEncoding));
    accepts_ = fields.has(Token::kAcceptEncoding);
    const bool remove = route != nullptr && route->remove_accept_encoding ? *route->remove_accept_encoding
                                                                          : settings.remove_accept_encoding;
    if (settings.response.enabled && remove) fields.remove(Token::kAcceptEncoding);
    const bool long_enough = is_long_enough(settings.request, fields);
    if (end == End::kNo && settings.request.enabled && !long_enough) {
      local_.request.inc(CompressionStat::kContentLengthTooSmall);
    }
    if (end == End::kYes || !settings.request.enabled || !long_enough || !may_be_transformed(fields) ||
        fields.has(Token::kContentEncoding) || !settings.request.takes_type(fields.get(Token::kContentType))) {
      local_.request.inc(CompressionStat::kNotCompressed);
      return Step::next();
    }
    local_.request.inc(CompressionStat::kCompressed);
    fields.remove(Token::kContentLength);
    fields.set(Token::kContentEncoding, name_of(factory_.coding()));
    request_ = make_writer(exchange.arena(), settings.packing);
    return Step::next();
  }

  Step on_request_data(Exchange&, buffer::Buffer& data, End end) override {
    if (request_ != nullptr) pack(*request_, local_.request, data, end == End::kYes ? Then::kFinish : Then::kFlush);
    return Step::next();
  }

  Step on_request_trailers(Exchange& exchange, http::HeaderMap&) override {
    return request_ != nullptr ? finish(exchange, *request_, local_.request) : Step::next();
  }

  Step on_response_headers(Exchange& exchange, http::ResponseHeaders& response, End end) override {
    const Settings& settings = factory_.settings();
    if (off_) return Step::next();
    if (!settings.response.enabled) {
      local_.response.inc(CompressionStat::kNotCompressed);
      return Step::next();
    }
    http::HeaderMap& fields = response.fields;
    const bool long_enough = is_long_enough(settings.response, fields);
    const bool has_etag = settings.skip_etag && fields.find("etag") != nullptr;
    const std::string_view type = fields.get(Token::kContentType);
    const bool takes_type = settings.response.takes_type(type);
    const bool skips_status = settings.skip_statuses.contains(response.status);
    const bool compressible = long_enough && takes_type && !skips_status && !has_etag && may_be_transformed(fields) &&
                              !fields.has(Token::kContentEncoding);
    if (!long_enough) local_.response.inc(CompressionStat::kContentLengthTooSmall);
    if (long_enough && has_etag) local_.accept.inc(AcceptStat::kNotCompressedEtag);
    const bool packs = end == End::kNo && long_enough && is_accepted(exchange, type) && compressible;
    const std::string_view coding = name_of(factory_.coding());
    if (settings.status_header) {
      const char* const why = !long_enough   ? "ContentLengthTooSmall"
                              : !takes_type  ? "ContentTypeNotAllowed"
                              : has_etag     ? "EtagNotAllowed"
                              : skips_status ? "StatusCodeNotAllowed"
                                             : nullptr;
      if (packs) {
        const std::string_view length = fields.get(Token::kContentLength);
        fields.set_copy("x-envoy-compression-status", length.empty()
                                                          ? cat(coding, ";Compressed")
                                                          : cat(coding, ";Compressed;OriginalLength=", length));
      } else if (why != nullptr) {
        fields.set_copy("x-envoy-compression-status", cat(coding, ";", why));
      }
    }
    if (packs) {
      change_etag(fields);
      fields.remove(Token::kContentLength);
      fields.set(Token::kContentEncoding, coding);
      response_ = make_writer(exchange.arena(), settings.packing);
    }
    local_.response.inc(packs ? CompressionStat::kCompressed : CompressionStat::kNotCompressed);
    if (compressible) add_vary(fields);
    return Step::next();
  }

  Step on_response_data(Exchange&, buffer::Buffer& data, End end) override {
    if (response_ != nullptr) pack(*response_, local_.response, data, end == End::kYes ? Then::kFinish : Then::kFlush);
    return Step::next();
  }

  Step on_response_trailers(Exchange& exchange, http::HeaderMap&) override {
    return response_ != nullptr ? finish(exchange, *response_, local_.response) : Step::next();
  }

 private:
  static void pack(BodyWriter& writer, stats::Block<CompressionStat>& stats, buffer::Buffer& data, Then then) {
    stats.add(CompressionStat::kTotalUncompressedBytes, data.size());
    writer.write(data, then);
    stats.add(CompressionStat::kTotalCompressedBytes, data.size());
  }

  // Trailers come: the rest goes in front of them.
  static Step finish(Exchange& exchange, BodyWriter& writer, stats::Block<CompressionStat>& stats) {
    buffer::Buffer rest(exchange.local().slabs);
    pack(writer, stats, rest, Then::kFinish);
    exchange.add_body(std::move(rest));
    return Step::next();
  }

  // Counts what became of accept-encoding, also when another compressor was chosen.
  bool is_accepted(const Exchange& exchange, std::string_view content_type) {
    if (!accepts_) {
      local_.accept.inc(AcceptStat::kNoAcceptHeader);
      return false;
    }
    const CodingChoice choice = choose_coding(accept_encoding_, offers_of(exchange, content_type));
    const bool ours = choice.coding == factory_.coding();
    switch (choice.verdict) {
      case Verdict::kIdentity:
        local_.accept.inc(AcceptStat::kHeaderIdentity);
        return false;
      case Verdict::kNotValid:
        local_.accept.inc(AcceptStat::kHeaderNotValid);
        return false;
      case Verdict::kWildcard:
        local_.accept.inc(AcceptStat::kHeaderWildcard);
        return ours;
      case Verdict::kCompressor:
        local_.accept.inc(ours ? AcceptStat::kHeaderCompressorUsed : AcceptStat::kHeaderCompressorOvershadowed);
        return ours;
    }
    return false;
  }

  // The bytes are others now: a strong validator would lie.
  void change_etag(http::HeaderMap& fields) const {
    const std::string_view etag = fields.get("etag");
    if (etag.data() == nullptr || etag.starts_with("W/") || etag.starts_with("w/")) return;
    if (factory_.settings().weaken_etag) {
      fields.set_copy("etag", cat("W/", etag));
    } else {
      fields.remove("etag");
    }
  }

  const CompressorFactory& factory_;
  CompressorLocal& local_;
  std::string_view accept_encoding_;
  bool accepts_ = false;
  bool off_ = false;
  BodyWriter* request_ = nullptr;
  BodyWriter* response_ = nullptr;
};

}  // namespace

bool Direction::takes_type(std::string_view content_type) const {
  if (content_type.data() == nullptr) return true;
  const std::string_view bare = trim(content_type.substr(0, content_type.find(';')));
  const auto is_bare = [&](const std::string& one) { return equal_ignore_case(one, bare); };
  return std::any_of(types.begin(), types.end(), is_bare) ||
         std::any_of(more_types.begin(), more_types.end(),
                     [&](const match::StringMatcher& one) { return one.matches(bare); });
}

std::unique_ptr<proxy::FilterLocal> CompressorFactory::on_worker(const proxy::FilterPlace& place) const {
  return std::make_unique<CompressorLocal>(place, settings_);
}

proxy::HttpFilter* CompressorFactory::create(Exchange& exchange, proxy::FilterLocal* local) const {
  return exchange.arena().create<Compressor>(*this, static_cast<CompressorLocal&>(*local));
}

uint8_t CompressorFactory::hooks() const { return proxy::hooks_of<Compressor>(); }

}  // namespace sluice::filters::compressor
