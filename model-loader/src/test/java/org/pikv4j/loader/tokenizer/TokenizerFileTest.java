package org.pikv4j.loader.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.fail;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.pikv4j.error.ModelFormatException;

/** Damaged files and files that ask for what is not supported: one line that names the file and the field. */
class TokenizerFileTest {
    private static final int MUTANTS = 3_000;

    private static final String SMALL = """
            {"version":"1.0","truncation":null,"padding":null,
             "added_tokens":[{"id":0,"content":"<s>","single_word":false,"lstrip":true,"rstrip":false,"normalized":true,"special":true}],
             "normalizer":{"type":"Sequence","normalizers":[{"type":"NFC"},{"type":"Replace","pattern":{"Regex":" {2,}"},"content":" "}]},
             "pre_tokenizer":{"type":"Sequence","pretokenizers":[
               {"type":"Split","pattern":{"Regex":"(?i:'s)| ?\\\\p{L}+|[^\\\\s\\\\p{L}]+|\\\\s+(?!\\\\S)|\\\\s+"},"behavior":"Isolated","invert":false},
               {"type":"Metaspace","replacement":"▁","prepend_scheme":"first","split":true}]},
             "post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>","type_id":0}},{"Sequence":{"id":"A","type_id":0}}],
               "pair":[],"special_tokens":{"<s>":{"id":"<s>","ids":[0],"tokens":["<s>"]}}},
             "decoder":{"type":"Sequence","decoders":[{"type":"ByteFallback"},{"type":"Fuse"},{"type":"Strip","content":" ","start":1,"stop":0}]},
             "model":{"type":"BPE","dropout":null,"unk_token":"<unk>","continuing_subword_prefix":null,"end_of_word_suffix":null,"fuse_unk":true,
               "byte_fallback":true,"ignore_merges":false,"vocab":{"<s>":0,"<unk>":1,"▁":2,"a":3,"b":4,"ab":5,"▁ab":6,"<0x41>":7},
               "merges":["a b",["▁","ab"]]}}
            """;

    @TempDir
    Path directory;

    private Path write(String json) throws Exception {
        return Files.writeString(directory.resolve("tokenizer.json"), json);
    }

    @Test
    void readsTheSmallFile() throws Exception {
        HuggingFaceTokenizer tokenizer = HuggingFaceTokenizer.load(write(SMALL));
        assertThat(tokenizer.encode("ab A?", true)).containsExactly(0, 6, 2, 7, 1);
        assertThat(tokenizer.decode(new int[] {0, 6, 7}, true)).isEqualTo("▁abA");
    }

    @ParameterizedTest
    @CsvSource(
            quoteCharacter = '`',
            delimiter = '|',
            value = {
                "\"type\":\"BPE\" | \"type\":\"Unigram\" | model.type is Unigram, only BPE is supported",
                "\"type\":\"NFC\" | \"type\":\"Precompiled\" | normalizer.normalizers[0].type is Precompiled",
                "\"type\":\"Split\" | \"type\":\"UnicodeScripts\" | pre_tokenizer.pretokenizers[0].type is UnicodeScripts",
                "\"type\":\"Fuse\" | \"type\":\"CTC\" | decoder.decoders[1].type is CTC",
                "\"type\":\"TemplateProcessing\" | \"type\":\"RobertaProcessing\" | post_processor.type is RobertaProcessing",
                "\"Isolated\" | \"Apart\" | pre_tokenizer.pretokenizers[0].behavior is Apart",
                "\"behavior\": | \"b\": | pre_tokenizer.pretokenizers[0].behavior is missing",
                "(?i:'s) | (?i:'s | pre_tokenizer.pretokenizers[0].pattern.Regex unmatched (",
                "\"first\" | \"last\" | pre_tokenizer.pretokenizers[1].prepend_scheme is last",
                "\"replacement\":\"▁\" | \"replacement\":\"ab\" | replacement is ab, expected one character",
                "\"start\":1 | \"start\":-1 | decoder.decoders[2].start is -1",
                "\"SpecialToken\":{\"id\":\"<s>\" | \"SpecialToken\":{\"id\":\"<t>\" | post_processor.single[0].SpecialToken.id is <t>",
                "\"id\":\"A\" | \"id\":\"B\" | post_processor.single[1].Sequence is B",
                "\"dropout\":null | \"dropout\":0.1 | model.dropout",
                "\"a b\" | \"a b c\" | model.merges[0] is a b c",
                "\"a b\" | \"a c\" | model.merges[0]: c is not in model.vocab",
                "\"a b\" | \"b a\" | model.merges[0]: ba is not in model.vocab",
                "\"a b\" | 5 | model.merges[0] is neither",
                "[\"▁\",\"ab\"] | [\"▁\"] | model.merges[1]",
                "\"ab\":5 | \"ab\":-5 | model.vocab: the id of ab",
                "\"ab\":5 | \"ab\":4000000000 | model.vocab: the id of ab",
                "\"ab\":5 | \"ab\":99999999999999999999999 | not valid JSON",
                "\"vocab\" | \"vocabulary\" | model.vocab is missing",
                "\"merges\" | \"merge\" | model.merges is missing",
                "\"model\" | \"mode\" | model is missing",
                "\"content\":\"<s>\" | \"content\":7 | added_tokens[0].content is 7, expected a string",
                "\"lstrip\":true | \"lstrip\":\"yes\" | added_tokens[0].lstrip",
                "\"version\":\"1.0\" | \"version\":\"2.0\" | version is 2.0"
            })
    void namesTheField(String original, String replacement, String message) throws Exception {
        assertThat(SMALL).contains(original);
        Path file = write(SMALL.replace(original, replacement));
        assertThatExceptionOfType(ModelFormatException.class)
                .isThrownBy(() -> HuggingFaceTokenizer.load(file))
                .withMessageContaining(file + ": ")
                .withMessageContaining(message)
                .satisfies(e -> assertThat(e.getMessage()).doesNotContain("\n"));
    }

    @Test
    void namesAMissingFile() {
        Path file = directory.resolve("absent.json");
        assertThatExceptionOfType(ModelFormatException.class)
                .isThrownBy(() -> HuggingFaceTokenizer.load(file))
                .withMessage(file + ": no such file");
    }

    @Test
    void saysWhenAnUnknownTokenIsNeededAndMissing() throws Exception {
        Path file = write(SMALL.replace("\"unk_token\":\"<unk>\"", "\"unk_token\":\"<none>\""));
        HuggingFaceTokenizer tokenizer = HuggingFaceTokenizer.load(file);
        assertThat(tokenizer.encode("ab", false)).containsExactly(6);
        assertThatExceptionOfType(ModelFormatException.class)
                .isThrownBy(() -> tokenizer.encode("?", false))
                .withMessageContaining("model.unk_token <none>");
    }

    @Test
    void noMutantDoesWorseThanATypedException() throws Exception {
        long seed = TestTokenizers.seed();
        Random random = new Random(seed);
        byte[] original = SMALL.getBytes(StandardCharsets.UTF_8);
        Path file = directory.resolve("tokenizer.json");
        int loaded = 0;
        for (int i = 0; i < MUTANTS; i++) {
            byte[] mutant = mutate(original, random);
            Files.write(file, mutant);
            try {
                HuggingFaceTokenizer tokenizer = HuggingFaceTokenizer.load(file);
                tokenizer.decode(tokenizer.encode("<s>a b  AB's\n▁ab é" + i, true), false);
                loaded++;
            } catch (ModelFormatException e) {
                assertThat(e.getMessage()).startsWith(file + ": ").doesNotContain("\n");
            } catch (RuntimeException | Error e) {
                fail("mutant " + i + ", -Dpikv.seed=" + seed + ": " + new String(mutant, StandardCharsets.UTF_8), e);
            }
        }
        assertThat(loaded).isBetween(MUTANTS / 20, MUTANTS * 19 / 20);
    }

    /** Cut off, bytes changed, a stretch doubled or left out, or one word put in place of another. */
    private static byte[] mutate(byte[] original, Random random) {
        String text = new String(original, StandardCharsets.UTF_8);
        int from = random.nextInt(text.length());
        int to = Math.min(text.length(), from + random.nextInt(30));
        return switch (random.nextInt(6)) {
            case 0 -> Arrays.copyOf(original, random.nextInt(original.length));
            case 1 -> {
                byte[] changed = original.clone();
                for (int n = random.nextInt(3); n >= 0; n--) {
                    changed[random.nextInt(changed.length)] = (byte) random.nextInt(256);
                }
                yield changed;
            }
            case 2 -> (text.substring(0, to) + text.substring(from)).getBytes(StandardCharsets.UTF_8);
            case 3 -> (text.substring(0, from) + text.substring(to)).getBytes(StandardCharsets.UTF_8);
            case 4 ->
                (text.substring(0, from) + (char) (32 + random.nextInt(95)) + text.substring(from + 1))
                        .getBytes(StandardCharsets.UTF_8);
            default -> {
                String[] words = text.split("(?<=[\\s,:{}\\[\\]])|(?=[\\s,:{}\\[\\]])");
                words[random.nextInt(words.length)] = words[random.nextInt(words.length)];
                yield String.join("", words).getBytes(StandardCharsets.UTF_8);
            }
        };
    }
}
