// Runs packed beats through a verilated unit with valid/ready streams `i` and `o`, a beat a cycle.
//
//   standard input    beats, each the payload of `i` as little-endian 32-bit words
//   standard output   per result: the payload of `o` as such words, then the cycle it was given in as 64 bits;
//                     at the end, as many words of ones and the cycle in which the last beat was taken
//
// Knows nothing of what a payload means. Cycle 0 is the first after reset. Verilator spells the second of two
// underscores `__05F`.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "Vtop.h"
#include "verilated.h"

namespace {

// A port's words: ports of up to 64 bits are plain integers, wider ones arrays of 32-bit words.
template <typename T>
size_t words(const T&) {
    return (sizeof(T) + 3) / 4;
}

template <typename T>
void put(T& port, const uint32_t* from) {
    static_assert(sizeof(T) <= 8, "a plain integer");
    uint64_t value = from[0];
    if (sizeof(T) > 4) value |= static_cast<uint64_t>(from[1]) << 32;
    port = static_cast<T>(value);
}

template <std::size_t N>
void put(VlWide<N>& port, const uint32_t* from) {
    for (std::size_t i = 0; i < N; ++i) port[i] = from[i];
}

template <typename T>
void get(const T& port, uint32_t* to) {
    const uint64_t value = port;
    to[0] = static_cast<uint32_t>(value);
    if (sizeof(T) > 4) to[1] = static_cast<uint32_t>(value >> 32);
}

template <std::size_t N>
void get(const VlWide<N>& port, uint32_t* to) {
    for (std::size_t i = 0; i < N; ++i) to[i] = port[i];
}

class Run {
public:
    Run() : record_(words(top_.o___05Fpayload) + 2) {
        top_.rst = 1;
        top_.i___05Fvalid = 0;
        top_.o___05Fready = 1;
        cycle();
        top_.rst = 0;
        now_ = 0;
    }

    size_t beat_words() const { return words(top_.i___05Fpayload); }

    // One transfer, however many cycles it takes.
    void beat(const uint32_t* payload) {
        put(top_.i___05Fpayload, payload);
        top_.i___05Fvalid = 1;
        bool taken = false;
        while (!taken) taken = cycle();
        last_taken_ = now_ - 1;
    }

    // Cycles without beats, for the results under way.
    void drain(uint64_t cycles) {
        top_.i___05Fvalid = 0;
        while (cycles--) cycle();
    }

    void end() {
        std::fill(record_.begin(), record_.end(), 0xffffffffu);
        emit(last_taken_);
        std::fflush(stdout);
    }

    void flush() { std::fflush(stdout); }

private:
    bool cycle() {
        top_.clk = 0;
        top_.eval();
        const bool ready = top_.i___05Fready;
        if (top_.o___05Fvalid && !top_.rst) {
            get(top_.o___05Fpayload, record_.data());
            emit(now_);
        }
        top_.clk = 1;
        top_.eval();
        ++now_;
        return ready;
    }

    void emit(uint64_t at) {
        std::memcpy(&record_[record_.size() - 2], &at, sizeof at);
        if (std::fwrite(record_.data(), 4, record_.size(), stdout) != record_.size()) std::exit(3);
    }

    Vtop top_;
    std::vector<uint32_t> record_;
    uint64_t now_ = 0;
    uint64_t last_taken_ = 0;
};

}  // namespace

double sc_time_stamp() { return 0; }

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    const uint64_t drain = std::strtoull(argv[1], nullptr, 10);  // cycles after the last beat
    Run run;
    const size_t width = run.beat_words();
    std::vector<uint32_t> buffer(width * 4096);
    size_t got;
    while ((got = std::fread(buffer.data(), 4 * width, 4096, stdin)) > 0) {
        for (size_t i = 0; i < got; ++i) run.beat(&buffer[i * width]);
        run.flush();
    }
    run.drain(drain);
    run.end();
    return 0;
}
