package org.pikv4j.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.pikv4j.cli.DemoModel;

/** What the caller can mend: one line on stderr that names it, nothing on stdout, exit code 2, no file left behind. */
class BadInputTest {
    @TempDir
    private static Path directory;

    @BeforeAll
    static void files() throws IOException {
        Files.write(directory.resolve("latin1.txt"), new byte[] {'a', 'b', 'c', (byte) 0xe9, '!'});
        Files.writeString(directory.resolve("ids.txt"), "1 2 3");
        Files.writeString(directory.resolve("empty.txt"), " \n");
        Files.writeString(directory.resolve("words.txt"), "1 two 3");
        Files.writeString(directory.resolve("huge.txt"), "1 99999999999999999999");
        Files.writeString(directory.resolve("outside.txt"), "1 2 925");
        Files.writeString(directory.resolve("negative.txt"), "1 -2");
        Files.writeString(directory.resolve("empty.json"), "{}");
        Files.writeString(
                directory.resolve("damaged.json"), "{\"read_bandwidth\": 1e10, \"latency\": {\"bandwidth\": 0}}");
        Files.writeString(directory.resolve("long.txt"), "5 ".repeat(8193));
        Files.writeString(directory.resolve("prompt.txt"), "Ada likes mango. ".repeat(100));
        Files.writeString(directory.resolve("long-prompt.txt"), "Ada likes mango. ".repeat(3000));
        Files.createFile(directory.resolve("void.txt"));
        Files.createDirectories(directory.resolve("nothing"));
        plain("hybrid.json", "\"full_attention_interval\": 4, \"max_position_embeddings\": 4096");
        plain("far.json", "\"max_position_embeddings\": 2000000000");
        plain(
                "wide.json",
                "\"num_experts\": 2, \"num_experts_per_tok\": 1, \"moe_intermediate_size\": 2147483647, "
                        + "\"max_position_embeddings\": 4096");
        broken("no-weights", "config.json", "tokenizer.json");
        broken("no-tokenizer", "config.json", "model.safetensors");
        broken("truncated", "config.json", "tokenizer.json", "model.safetensors");
        Path weights = directory.resolve("truncated/model.safetensors");
        byte[] bytes = Files.readAllBytes(weights);
        Files.write(weights, Arrays.copyOf(bytes, bytes.length / 2));
        broken("unknown-architecture", "tokenizer.json", "model.safetensors");
        Files.writeString(directory.resolve("unknown-architecture/config.json"), "{\"model_type\": \"unheard-of\"}");
    }

    /** A configuration that can only be planned with, with what a test adds. */
    private static void plain(String name, String more) throws IOException {
        Files.writeString(directory.resolve(name), """
                {"model_type": "plain", "hidden_size": 2147483647, "head_dim": 8, "intermediate_size": 8, "vocab_size": 100,
                 "num_hidden_layers": 2, "num_attention_heads": 2, %s}
                """.formatted(more));
    }

    private static void broken(String name, String... files) throws IOException {
        Path model = Files.createDirectories(directory.resolve(name));
        for (String file : files) {
            try (InputStream in = DemoModel.class.getResourceAsStream("demo/" + file)) {
                Files.copy(in, model.resolve(file));
            }
        }
    }

    /** {@code $} stands for the directory of {@link #files}; what must be in the message comes after the bar. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "nonsense | Unknown command 'nonsense'",
                "run | --prompt",
                "run --prompt a --prompt-file b | mutually exclusive",
                "run --prompt a stray | 'stray'",
                "run --prompt a --no-such-option | --no-such-option",
                "run --prompt-file $/missing.txt | missing.txt: no such file",
                "run --prompt-file $ | directory",
                "run --prompt= | pikv4j: --prompt: the prompt is empty",
                "run --prompt-file $/void.txt | void.txt: the prompt is empty",
                "run --prompt-file= | pikv4j: --prompt-file: the name of the file is empty",
                "run --prompt-file - | pikv4j: --prompt-file stdin: the prompt is empty",
                "run --prompt-file /dev/fd/4321 | /dev/fd/4321: no such file",
                "run --prompt-file $/latin1.txt | latin1.txt: invalid UTF-8 at byte 3",
                "run --prompt-file $/long-prompt.txt | long-prompt.txt: ",
                "run --prompt a --kv-budget much | pikv4j: --kv-budget: 'much' is no size",
                "run --prompt a --kv-budget 0tok | pikv4j: --kv-budget: '0tok' is not a budget",
                "run --prompt a --kv-budget 1tok,2tok | pikv4j: --kv-budget: '1tok,2tok' names two budgets of one kind",
                "run --prompt a --kv-budget 64tok --kv-policy h2o | pikv4j: --kv-budget 64tok is too small",
                "run --prompt-file $/prompt.txt --kv-budget 128tok | ; or let --kv auto, with a budget in bytes, or --kv-policy keydiff say what gives way",
                "run --prompt a --kv auto | pikv4j: --kv auto spends a budget: name one with --kv-budget",
                "run --prompt a --kv much --kv-budget 1MiB | pikv4j: --kv 'much' is unknown; there is auto",
                "run --prompt a --kv auto --kv-budget 25% | pikv4j: --kv auto spends bytes: --kv-budget must name some, 64MiB for instance, and not 25%",
                "run --prompt a --kv auto --kv-budget 1MiB --kv-dtype int8 | pikv4j: --kv auto chooses forms itself: leave --kv-dtype int8 out",
                "run --prompt a --kv auto --kv-budget 1MiB --kv-residual 64 | pikv4j: --kv auto chooses what stays exact itself: leave --kv-residual 64 out",
                "plan --kv auto --kv-budget 1MiB --kv-sinks 0 | pikv4j: --kv auto chooses what stays exact itself: leave --kv-sinks 0 out",
                "plan --kv auto --kv-budget 1MiB --devices 2 | pikv4j: --kv auto is planned for one device",
                "plan --kv auto | pikv4j: --kv auto spends a budget: name one with --kv-budget",
                "run --prompt a --kv-policy h2o | pikv4j: --kv-policy h2o says what gives way at a budget: name one with --kv-budget",
                "plan --kv-policy flexgen | pikv4j: --kv-policy flexgen says what gives way at a budget",
                "run --prompt a --kv auto --kv-budget 1MiB --kv-policy h2o | pikv4j: --kv auto chooses what goes itself: leave --kv-policy h2o out",
                "run --prompt a --kv auto --kv-budget 132KiB | pikv4j: --kv-budget 132 KiB is too small for kv auto",
                "run --prompt a --explain | pikv4j: --explain says what --kv auto decides: ask for that",
                "run --prompt a --kv-policy h3o | pikv4j: --kv-policy 'h3o' is unknown; known: pikv, streaming-llm, h2o,",
                "run --prompt a --kv-policy h2o:lambda=2 | pikv4j: --kv-policy h2o has no option 'lambda'",
                "run --prompt a --kv-policy quest --kv-budget 128tok | pikv4j: --kv-policy quest evicts nothing: a budget of 128tok cannot be held",
                "run --prompt a --kv-policy quest:read=2 | pikv4j: --kv-policy quest: read must be a number from 0 to 1",
                "run --prompt a --kv-policy adakv(quest) | pikv4j: --kv-policy adakv cannot wrap quest, which evicts nothing",
                "run --prompt a --kv-policy duo | pikv4j: the policy duo needs --kv-calibration FILE, which the",
                "run --prompt a --kv-policy adakv(duo) | pikv4j: the policy duo needs --kv-calibration FILE, which the",
                "run --prompt a --kv-policy adakv(snapkv:window=16) | kv-policy snapkv within brackets has no 'window' of its own",
                "run --prompt a --kv-policy fastv:layer=4 --kv-budget 25% | pikv4j: --kv-policy fastv: layer=4 decides for the layers behind",
                "run --prompt a --kv-policy adakv(fastv:layer=9) --kv-budget 25% | pikv4j: --kv-policy fastv: layer=9 decides for the layers",
                "run --prompt a --kv-policy flexgen:disk=much | pikv4j: --kv-policy flexgen: disk 'much' is no size",
                "run --prompt a --shards 0 | pikv4j: --shards must be between 1 and 256, not 0",
                "run --prompt a --shards 2 --placement nowhere | pikv4j: --placement 'nowhere' is unknown; known: expert, hash,",
                "run --prompt a --placement hash | pikv4j: --placement is unused without --shards",
                "run --prompt a --shards 2 --shard-capacity 1,2,3 | pikv4j: --shard-capacity has 3 numbers for 2 shards",
                "run --prompt a --shards 2 --shard-capacity 1,0 | pikv4j: --shard-capacity must be positive numbers, not 0.0",
                "run --prompt a --shards 2 --shard-speed 1,fast | 'fast' is not a number",
                "run --prompt a --shards 2 --shard-speed 1,NaN | pikv4j: --shard-speed must be positive numbers, not NaN",
                "run --prompt a --shards 2 --shard-speed 1 | pikv4j: --shard-speed has 1 number for 2 shards",
                "run --prompt a --shard-speed 1,1 | pikv4j: --shard-speed is unused without --shards",
                "run --prompt a --no-overlap | pikv4j: --no-overlap is unused without --shards",
                "run --prompt a --rebalance 1.2 | pikv4j: --rebalance is unused without --shards",
                "run --prompt a --shards 2 --rebalance 1 | pikv4j: --rebalance must be a factor above 1, not 1.0",
                "run --prompt a --shards 2 --rebalance 1.2 --rebalance-every 0 | pikv4j: --rebalance-every must be at least 1, not 0",
                "run --prompt a --shards 2 --rebalance-every 9 | pikv4j: --rebalance-every is unused without --rebalance",
                "run --prompt a --shards 2 --kv-policy quest | pikv4j: quest needs bounds of all keys in one place",
                "run --prompt a --shards 2 --kv-policy flexgen --kv-budget 25% | pikv4j: --kv-policy flexgen and shards both say where pages live",
                "plan --latency $/missing.json | missing.json: no such file",
                "plan --latency $/empty.json | empty.json: speed was not measured",
                "plan --latency $/damaged.json | damaged.json: ",
                "plan --latency a --bandwidth 2GB/s | pikv4j: --bandwidth is in --latency, too",
                "run --prompt a --route best | pikv4j: --route 'best' is unknown; known: exact, hash, topk,",
                "run --prompt a --route topk:k=0 | pikv4j: --route topk: k must be a number of at least 1, not '0'",
                "run --prompt a --route topk:k=9 | pikv4j: --route topk: k=9 where layers have 8 experts",
                "run --prompt a --route topk:shards=1 | pikv4j: --route topk: k=2 where layers have 1 shard",
                "run --prompt a --route hierarchical:groups=99 | pikv4j: --route hierarchical: groups=99 where layers have 8 shards",
                "plan --route hierarchical:groups=3,keep=4 | pikv4j: --route hierarchical: keep=4 where there are 3 groups",
                "run --prompt a --route topk:kappa=1 | pikv4j: --route topk has no option 'kappa'; it has k, shards, by,",
                "run --prompt a --route topk --kv-policy quest | pikv4j: quest and route topk both choose what is read",
                "run --prompt a --expert-bias 1 | pikv4j: --expert-bias is unused without --route",
                "run --prompt a --route exact --expert-bias -1 | pikv4j: --expert-bias must be a number of at least 0",
                "run --prompt a --route exact:by=page --expert-bias 1 | pikv4j: --expert-bias needs a shard for each expert",
                "run --prompt a --kv-budget 1024tokens | or in tokens 1024tok or 25%",
                "run --prompt a --kv-policy streaming-llm:rotate=0.5 | rotate must be 0 or 1",
                "run --prompt a --kv-policy adakv(h2o | pikv4j: --kv-policy 'adakv(h2o': a bracket is missing",
                "run --prompt a --kv-budget 0 | pikv4j: --kv-budget must be",
                "run --prompt a --kv-budget 100KiB | pikv4j: --kv-budget 100 KiB is too small",
                "run --prompt a --kv-dtype int3 | pikv4j: --kv-dtype 'int3' is unknown; known: f32, bf16,",
                "run --prompt a --kv-dtype int3 | chunk-pca:R, svd:R, lora:R, lora++:R, prune:F, distill:R; with a rotation: int4+rotate",
                "run --prompt a --kv-dtype int3+rotate | pikv4j: --kv-dtype 'int3' is unknown",
                "run --prompt a --kv-dtype rotate | pikv4j: --kv-dtype 'rotate' changes a number format",
                "run --prompt a --kv-dtype svd | pikv4j: --kv-dtype 'svd': the rank is missing, write svd:R",
                "run --prompt a --kv-dtype lora++:,int8 | pikv4j: --kv-dtype 'lora++:': the rank is missing, write lora++:R",
                "run --prompt a --kv-dtype prune+int8 | pikv4j: --kv-dtype 'prune': the share of channels to drop is missing, write prune:F",
                "run --prompt a --kv-dtype chunk-pca | pikv4j: --kv-dtype 'chunk-pca': chunk-pca:R wants a rank R of at least 1",
                "run --prompt a --kv-dtype int8, | pikv4j: --kv-dtype 'int8,': the form of values is missing",
                "run --prompt a --kv-dtype 0=bf16;1-=,int8 | pikv4j: --kv-dtype ',int8': the form of keys is missing",
                "run --prompt a --kv-dtype int8,int8,int8 | pikv4j: --kv-dtype 'int8,int8,int8' has more than keys and values",
                "run --prompt a --kv-dtype int8+ | pikv4j: --kv-dtype 'int8+': something is missing beside a plus sign",
                "run --prompt a --kv-dtype chunk-pca:8+int8 | pikv4j: --kv-dtype 'chunk-pca:8+int8': chunk-pca:8 and int8 cannot be combined",
                "run --prompt a --kv-dtype svd:8+rotate | pikv4j: --kv-dtype 'svd:8+rotate': svd:8 and rotate cannot be combined",
                "run --prompt a --kv-dtype chunk-pca:65 | pikv4j: --kv-dtype chunk-pca:65: the rank is above the head dim, which is 64",
                "run --prompt a --kv-dtype 0=int8=int4 | pikv4j: --kv-dtype '0=int8=int4' is not of the form",
                "run --prompt a --kv-dtype 3-1=int8 | pikv4j: --kv-dtype '3-1=int8' ends before it begins",
                "run --prompt a --kv-dtype 0-1=int8 | pikv4j: --kv-dtype '0-1=int8' says nothing of layer 2",
                "run --prompt a --kv-dtype 0-3=bf16;99=int8 | pikv4j: --kv-dtype '0-3=bf16;99=int8' names layer 99, but the model's layers are 0 to 3",
                "run --prompt a --kv-dtype 0-4=int8 | names layer 4, but",
                "run --prompt a --kv-dtype 0-3=int8;4-=int4 | names layer 4, but",
                "run --prompt a --page-tokens 17 | pikv4j: --page-tokens must be",
                "run --prompt a --prefill-chunk 0 | pikv4j: --prefill-chunk must be",
                "run --prompt a --threads 0 | pikv4j: --threads must be",
                "run --prompt a --threads many | pikv4j: --threads: 'many' is not a whole number",
                "run --prompt a --backend abacus | pikv4j: --backend 'abacus' is unknown",
                "run --prompt a --max-tokens 0 | pikv4j: --max-tokens must be",
                "run --prompt a --temperature -1 | pikv4j: --temperature must be",
                "run --prompt a --temperature warm | pikv4j: --temperature: 'warm' is not a number",
                "run --prompt a --top-p 1.5 | pikv4j: --top-p must be",
                "run --prompt a --min-p 2 | pikv4j: --min-p must be",
                "run --prompt a --top-k -1 | pikv4j: --top-k must be",
                "run --prompt a --repetition-penalty 0 | pikv4j: --repetition-penalty must be",
                "run --prompt a --seed x | pikv4j: --seed: 'x' is not a whole number",
                "run --prompt a --stop \\q | pikv4j: --stop: ",
                "run --prompt a --stop= | pikv4j: --stop must not be empty",
                "run --prompt a --model $/missing | missing: no such file or directory",
                "run --prompt a --model nobody/no-such-model | give a directory, or run: huggingface-cli download nobody/no-such-model",
                "run --prompt a --model $/nothing | nothing: not a model directory: config.json is missing",
                "run --prompt a --kv-dtype svd:16 | calibrate",
                "run --prompt a --kv-dtype svd:8 --kv-calibration $/missing.safetensors | missing.safetensors",
                "run --prompt a --kv-dtype svd:8 --kv-calibration $/truncated/model.safetensors | truncated",
                "run --prompt a --kv-calibration $/missing.safetensors | pikv4j: --kv-calibration is unused",
                "run --prompt a --kv-dtype int4+rotate,int8 --kv-calibration $/missing.safetensors | pikv4j: --kv-calibration is unused",
                "run --prompt a --kv-residual -1 | kv-residual",
                "run --prompt a --kv-sinks -1 | kv-sinks",
                "calibrate --text $/ids.txt --method pca --rank 8 --out $/kv.safetensors | 'pca' is no method",
                "calibrate --text $/ids.txt --method svd --rank 65 --out $/kv.safetensors | head dim, which is 64",
                "calibrate --text $/ids.txt --method svd --rank many --out $/kv.safetensors | pikv4j: --rank 'many'",
                "calibrate --text $/ids.txt --method svd --rank 0-1=8;2-=8;9=8 --out $/kv.safetensors | pikv4j: --rank '0-1=8;2-=8;9=8' names layer 9",
                "calibrate --text $/ids.txt --method svd --rank 8 --out $/kv.safetensors --kv-dtype int8 | pikv4j: Unknown option '--kv-dtype'",
                "calibrate --text $/ids.txt --method svd --rank 8 --out $/kv.safetensors --kv-sinks 0 | pikv4j: Unknown option '--kv-sinks'",
                "calibrate --text $/ids.txt --method svd --rank 8 --tokens 0 --out $/kv.safetensors | tokens",
                "calibrate --text $/ids.txt --method svd --rank 8 --out $/kv.safetensors | too short",
                "calibrate --text $/missing.txt --method svd --rank 8 --out $/kv.safetensors | missing.txt: no such",
                "calibrate --text $/ids.txt --method svd --rank 8 --out $/no/kv.safetensors | does not exist",
                "calibrate --text $/ids.txt --rank 8 --out $/kv.safetensors | pikv4j: --method and --rank go together",
                "run --prompt a --model $/no-weights | model.safetensors",
                "run --prompt a --model $/no-tokenizer | tokenizer.json",
                "run --prompt a --model $/truncated | model.safetensors",
                "run --prompt a --model $/unknown-architecture | unheard-of",
                "plan --context 0 | pikv4j: --context must be at least 1, not 0",
                "plan --context 2000000000 | pikv4j: --context must be at most 1073741824",
                "plan --context long | pikv4j: --context: 'long' is no number of tokens",
                "plan --context 4096M | pikv4j: --context: '4096M' is more tokens than",
                "plan --batch 0 | pikv4j: --batch must be at least 1, not 0",
                "plan --batch 8.5 | pikv4j: --batch: '8.5' is not a whole number",
                "plan --devices 0 | pikv4j: --devices must be at least 1, not 0",
                "plan --memory 0 | pikv4j: --memory must be positive",
                "plan --memory plenty | pikv4j: --memory: 'plenty' is no size",
                "plan --bandwidth fast | pikv4j: --bandwidth: 'fast' is no bandwidth",
                "plan --bandwidth 0GB/s | pikv4j: --bandwidth: '0GB/s' is no bandwidth",
                "plan --fixed-ms 2 | pikv4j: --fixed-ms is unused without --bandwidth",
                "plan --bandwidth 1GB/s --fixed-ms -1 | pikv4j: --fixed-ms must not be negative",
                "plan --kv-dtype int3 | pikv4j: --kv-dtype 'int3' is unknown",
                "plan --kv-dtype 0-9=int8 | names layer 9, but",
                "plan --kv-dtype svd:8 | calibrate",
                "plan --kv-budget 64tok --kv-policy h2o | pikv4j: --kv-budget 64tok is too small",
                "plan --kv-policy quest --kv-budget 25% | pikv4j: --kv-policy quest evicts nothing",
                "plan --kv-residual -1 | kv-residual",
                "plan --page-tokens 17 | pikv4j: --page-tokens must be",
                "plan --prefill-chunk 0 | pikv4j: --prefill-chunk must be",
                "plan --model $/missing.json | missing.json: no such file or directory",
                "plan --model config.json | pikv4j: --model config.json: no such file or directory",
                "plan --model $/nothing | nothing: not a model directory: config.json is missing",
                "plan --model $/ids.txt | ids.txt: not",
                "plan --model $/unknown-architecture | hidden_size is missing",
                "plan --model $/hybrid.json | hybrid.json: full_attention_interval says that not all layers are attention",
                "plan --model $/far.json | pikv4j: max_position_embeddings is 2000000000, more than the 1073741824 tokens",
                "plan --model $/wide.json | wide.json: describes more parameters than can be counted",
                "plan --shards 300 | pikv4j: --shards must be between 1 and 256",
                "plan --placement hash | pikv4j: --placement is unused without --shards",
                "plan --shards 2 --placement best | pikv4j: --placement 'best' is unknown",
                "plan --shards 2 --kv-policy quest | pikv4j: quest needs bounds of all keys in one place",
                "plan --route best | pikv4j: --route 'best' is unknown",
                "plan --route topk:k=9 | pikv4j: --route topk: k=9 where layers have 8 experts",
                "plan --route topk --kv-policy quest | pikv4j: quest and route topk both choose what is read",
                "plan --expert-bias 1 | pikv4j: --expert-bias is unused without --route",
                "plan stray | 'stray'",
                "inspect --model $/truncated | model.safetensors",
                "inspect --model $/unknown-architecture | unheard-of",
                "chat --model $/no-tokenizer | no-tokenizer",
                "chat --kv-budget 1 | too small",
                "logits --ids $/ids.txt | --out",
                "logits --out $/out.safetensors | --ids",
                "logits --ids $/missing.txt --out $/out.safetensors | missing.txt: no such file",
                "logits --ids $/empty.txt --out $/out.safetensors | empty.txt holds no token ids",
                "logits --ids $/words.txt --out $/out.safetensors | words.txt: number 2, 'two'",
                "logits --ids $/huge.txt --out $/out.safetensors | huge.txt: number 2",
                "logits --ids $/outside.txt --out $/out.safetensors | outside.txt: number 3, 925",
                "logits --ids $/negative.txt --out $/out.safetensors | negative.txt: number 2, -2",
                "logits --ids $/latin1.txt --out $/out.safetensors | latin1.txt: invalid UTF-8 at byte 3",
                "logits --ids $/long.txt --out $/out.safetensors | 8192 positions",
                "logits --ids $/ids.txt --out $/out.safetensors --kv-budget 1KiB | too small",
                "logits --ids= --out $/out.safetensors | pikv4j: --ids: the name of the file is empty",
                "logits --ids $/ids.txt --out= | pikv4j: --out: the path is empty",
                "logits --ids $/ids.txt --out $/no/out.safetensors | --out",
                "logits --ids $/ids.txt --out $/nothing | is a directory",
                "logits --ids $/ids.txt --out $/out.safetensors --model $/truncated | model.safetensors",
            })
    void isOneLineAndTwo(String line, String expected) throws IOException {
        Program program = Program.run(line.replace("$", directory.toString()).split(" "));
        assertThat(program.err()).startsWith("pikv4j: ").endsWith("\n").contains(expected);
        assertThat(program.err().lines()).hasSize(1);
        assertThat(program.out()).isEmpty();
        assertThat(program.code()).isEqualTo(2);
        try (Stream<Path> files = Files.list(directory)) {
            assertThat(files).noneMatch(file -> file.toString().contains("out.safetensors"));
        }
    }

    @Test
    void theBudgetEndsAGenerationWithoutALineBreakMissing() {
        // One page per layer and head fits, the second does not.
        Program program = Program.run(
                "run", "--prompt", "Ada", "--kv-budget", "192KiB", "--max-tokens", "200", "--stop", "never");
        assertThat(program.code()).isEqualTo(2);
        assertThat(program.err()).startsWith("pikv4j: ").contains("budget");
        assertThat(program.err().lines()).hasSize(1);
        assertThat(program.out()).endsWith("\n");
    }

    @Test
    void stdinIsCheckedToo() {
        Program program =
                Program.runWithInput("ab\u00e9".getBytes(StandardCharsets.ISO_8859_1), "run", "--prompt-file", "-");
        assertThat(program.code()).isEqualTo(2);
        assertThat(program.err()).isEqualTo("pikv4j: --prompt-file stdin: invalid UTF-8 at byte 2 of 3\n");
    }
}
