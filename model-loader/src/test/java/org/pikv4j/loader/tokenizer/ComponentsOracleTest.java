package org.pikv4j.loader.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Every kind of normalizer, pre-tokenizer, added token and decoder against the Hugging Face library, one at a time: a
 * model of bytes without merges shows where the pieces begin, because each is marked with U+2581.
 */
class ComponentsOracleTest {
    private static final int STRINGS = 400;
    private static final List<String> TOKENS = List.of(
            "Day", "day", "DAY", " day ", "[A]", "[B]", "[C]", "[D]", "  ", "a", "b", "aab", "caac", "#", "##", "x");

    @TempDir
    Path directory;

    @ParameterizedTest
    @ValueSource(
            strings = {
                "\\s+",
                "\\S",
                "\\w+|[^\\w\\s]+",
                "\\W+",
                "\\d{1,3}",
                "\\D\\d",
                "\\p{N}{1,3}+",
                " ?+[^\\s]++",
                "\\h+",
                "\\H\\h",
                "(?i:'s|'t|'re|'ve|'m|'ll|'d)",
                "(?i)'s|THE",
                "x|(?i)FOX|'T",
                "(?i:[b-h]{2})",
                "(?i:\\p{Lu})+",
                "\\p{Lu}\\p{Ll}*",
                "\\p{^L}+",
                "\\P{L}+",
                "\\p{Letter}",
                "\\p{Uppercase_Letter}",
                "\\p{Han}+",
                "\\p{Cyrillic}+",
                "\\p{alpha}+",
                "\\p{Punct}",
                "\\p{Space}",
                "\\p{Emoji}+",
                "[[:punct:]]+",
                "[[:alpha:][:digit:]]+",
                "[[:^space:]]+",
                "[^[:alpha:]]",
                "[\\p{L}&&[^a-m]]+",
                "[a-z&&[^aeiou]&&b-n]+",
                "[^a-z&&[^aeiou]]+",
                "[]a]+",
                "[\\]\\-a]+",
                "[a\\-z]+",
                "[-a]+",
                "[a-]+",
                "[\\s\\d]+",
                "[^\\S\\n]+",
                "[一-龥぀-ゟ゠-ヿ]+",
                "[\\x{41}-\\x{5A}\\u00e9]+",
                "(?:\\r?\\n)+",
                "(a|b)*c?",
                "(?>a+)b",
                "(?<=a)b",
                "(?<!\\s)\\s",
                "a(?=b)",
                "(?<word>a)b",
                "(?#comment)a",
                "\\b",
                "\\B",
                "\\bq",
                "^.",
                ".$",
                "^",
                "$",
                "\\A.",
                ".\\z",
                "\\s\\Z",
                "(?m:.)(?m:.)",
                "(?m).{3}",
                "x*",
                "a{,2}",
                "a{2}?",
                "a{1,2}?b",
                "a{1,}",
                "a{x",
                "{",
                "]",
                "a**",
                "a+?",
                "\\t|\\n|\\r",
                "\\.|\\*|\\+",
                "\\-",
                "\\/",
                "\\ ",
                "'(?i:[sdmt]|ll|ve|re)"
            })
    void splits(String regex) throws Exception {
        split(regex, "Isolated", false);
        List<String> behaviors = List.of("Removed", "MergedWithPrevious", "MergedWithNext", "Contiguous");
        split(regex, behaviors.get(regex.length() % 4), regex.length() / 4 % 2 == 0);
    }

    @ParameterizedTest
    @ValueSource(strings = {"Isolated", "Removed", "MergedWithPrevious", "MergedWithNext", "Contiguous"})
    void splitsByBehavior(String behavior) throws Exception {
        for (String regex : List.of("\\w+|[^\\w\\s]+", "\\p{N}", "(a|b)*c?", "^.")) {
            split(regex, behavior, false);
            split(regex, behavior, true);
        }
    }

    private void split(String regex, String behavior, boolean invert) throws Exception {
        preTokenizes(
                "{'type':'Split','pattern':{'Regex':%s},'behavior':'%s','invert':%s}"
                        .formatted(json(regex), behavior, invert),
                STRINGS / 4);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{'type':'Split','pattern':{'String':'a'},'behavior':'Removed','invert':false}",
                "{'type':'Split','pattern':{'String':'.*'},'behavior':'Isolated','invert':true}",
                "{'type':'Digits','individual_digits':false}",
                "{'type':'Digits','individual_digits':true}",
                "{'type':'Punctuation','behavior':'Isolated'}",
                "{'type':'Punctuation','behavior':'Contiguous'}",
                "{'type':'Punctuation','behavior':'MergedWithPrevious'}",
                "{'type':'Whitespace'}",
                "{'type':'WhitespaceSplit'}",
                "{'type':'Metaspace','replacement':'#','prepend_scheme':'always','split':true}",
                "{'type':'Metaspace','replacement':'#','prepend_scheme':'first','split':true}",
                "{'type':'Metaspace','replacement':'#','prepend_scheme':'never','split':true}",
                "{'type':'Metaspace','replacement':'#','prepend_scheme':'first','split':false}",
                "{'type':'ByteLevel','add_prefix_space':true,'trim_offsets':true,'use_regex':true}",
                "{'type':'ByteLevel','add_prefix_space':true,'trim_offsets':true,'use_regex':false}",
                "{'type':'Sequence','pretokenizers':[{'type':'WhitespaceSplit'},{'type':'Digits','individual_digits':true}]}"
            })
    void preTokenizes(String preTokenizer) throws Exception {
        preTokenizes(preTokenizer, STRINGS);
    }

    private void preTokenizes(String preTokenizer, int strings) throws Exception {
        String marked = "{'type':'Sequence','pretokenizers':[" + preTokenizer
                + ",{'type':'Metaspace','replacement':'▁','prepend_scheme':'always','split':false}]}";
        compare(tokenizer("", "null", marked, "null", bytesModel()), strings);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{'type':'NFC'}",
                "{'type':'NFD'}",
                "{'type':'NFKC'}",
                "{'type':'NFKD'}",
                "{'type':'Lowercase'}",
                "{'type':'StripAccents'}",
                "{'type':'ByteLevel'}",
                "{'type':'Strip','strip_left':true,'strip_right':true}",
                "{'type':'Strip','strip_left':false,'strip_right':true}",
                "{'type':'Strip','strip_left':true,'strip_right':false}",
                "{'type':'Prepend','prepend':'▁'}",
                "{'type':'Replace','pattern':{'String':' '},'content':'▁'}",
                "{'type':'Replace','pattern':{'Regex':' {2,}|\\\\p{L}'},'content':'$1'}",
                "{'type':'Replace','pattern':{'Regex':'^\\\\s+'},'content':''}",
                "{'type':'Sequence','normalizers':[{'type':'NFD'},{'type':'StripAccents'},{'type':'Lowercase'}]}"
            })
    void normalizes(String normalizer) throws Exception {
        String added = added("day", false, false, false, true) + "," + added("[A]", false, false, false, false);
        String scheme = "{'type':'Metaspace','replacement':'▁','prepend_scheme':'first','split':true}";
        compare(tokenizer(added, normalizer, scheme, "null", bytesModel()), STRINGS);
        compare(tokenizer(added, normalizer, "null", "null", bytesModel()), STRINGS);
    }

    @ParameterizedTest
    @ValueSource(strings = {"null", "{'type':'Lowercase'}"})
    void findsAddedTokens(String normalizer) throws Exception {
        Random random = new Random(TestTokenizers.seed());
        for (int round = 0; round < 20; round++) {
            String added = String.join(
                    ",",
                    TOKENS.stream()
                            .filter(token -> random.nextBoolean())
                            .map(token -> added(
                                    token,
                                    random.nextBoolean(),
                                    random.nextBoolean(),
                                    random.nextBoolean(),
                                    random.nextBoolean()))
                            .toList());
            compare(
                    tokenizer(
                            added,
                            normalizer,
                            "{'type':'Metaspace','replacement':'▁','prepend_scheme':'first','split':true}",
                            "null",
                            bytesModel()),
                    STRINGS / 4);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{'type':'BPEDecoder','suffix':'</w>'}",
                "{'type':'BPEDecoder','suffix':'a'}",
                "{'type':'ByteLevel','add_prefix_space':true,'trim_offsets':true,'use_regex':true}",
                "{'type':'Metaspace','replacement':'▁','prepend_scheme':'always','split':true}",
                "{'type':'Metaspace','replacement':'▁','prepend_scheme':'never','split':true}",
                "{'type':'ByteFallback'}",
                "{'type':'Fuse'}",
                "{'type':'Strip','content':'a','start':2,'stop':0}",
                "{'type':'Replace','pattern':{'Regex':'[a-c]+|▁'},'content':'-'}",
                "{'type':'Sequence','decoders':[{'type':'ByteFallback'},{'type':'Fuse'},{'type':'Strip','content':'a','start':0,'stop':1}]}",
                "{'type':'Sequence','decoders':[{'type':'Fuse'},{'type':'Replace','pattern':{'Regex':'a+'},'content':'-'}]}",
                "{'type':'Sequence','decoders':[{'type':'ByteFallback'},{'type':'Metaspace','replacement':'▁','prepend_scheme':'always','split':true}]}",
                "null"
            })
    void decodes(String decoder) throws Exception {
        String added = added("day", false, false, false, false) + "," + added(" [A] ", false, false, false, false);
        compare(tokenizer(added, "null", "null", decoder, bytesModel()), STRINGS);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "'unk_token':'<unk>','fuse_unk':false,'byte_fallback':false",
                "'unk_token':'<unk>','fuse_unk':true,'byte_fallback':false",
                "'unk_token':'<unk>','fuse_unk':true,'byte_fallback':true",
                "'unk_token':null,'fuse_unk':false,'byte_fallback':false",
                "'unk_token':'<unk>','fuse_unk':true,'byte_fallback':false,'ignore_merges':true",
                "'unk_token':'<unk>','fuse_unk':true,'byte_fallback':false,'continuing_subword_prefix':'##'",
                "'unk_token':'<unk>','fuse_unk':false,'byte_fallback':true,'end_of_word_suffix':'</w>'"
            })
    void merges(String options) throws Exception {
        boolean prefixed = options.contains("##");
        String vocabulary =
                "'<unk>':0,'a':1,'b':2,'c':3,'##a':4,'##b':5,'ab':6,'aab':7,'ba':8,'##ab':9,'a</w>':10,'b</w>':11,"
                        + "'ab</w>':12,'<0x63>':13,'<0x20>':14,'<0xE2>':15,'<0x96>':16,'<0x81>':17,'x':18,'caac':19,'bb':20,'##ba':21";
        String merges = prefixed
                ? "['a','##b'],['a','##ab'],['##a','##b']"
                : "['b','a'],['a','b'],['a','ab'],['a','b</w>'],['b','b']";
        String model =
                "{'type':'BPE','dropout':null," + options + ",'vocab':{" + vocabulary + "},'merges':[" + merges + "]}";
        Path file = tokenizer(
                added("day", false, false, false, false), "null", "{'type':'WhitespaceSplit'}", "null", model);
        compare(file, STRINGS, random -> {
            StringBuilder text = new StringBuilder();
            for (int i = random.nextInt(30); i > 0; i--) {
                text.append("aaabbbcx▁é d".charAt(random.nextInt(12)));
            }
            return text.toString();
        });
    }

    private void compare(Path file, int strings) throws Exception {
        RandomText texts = new RandomText(TestTokenizers.seed(), TOKENS);
        compare(file, strings, random -> texts.next());
    }

    private static void compare(Path file, int strings, Function<Random, String> texts) throws Exception {
        HuggingFaceTokenizer tokenizer = HuggingFaceTokenizer.load(file);
        Random random = new Random(TestTokenizers.seed());
        try (Oracle oracle = Oracle.open(file)) {
            for (int i = 0; i < strings; i++) {
                String text = texts.apply(random);
                int[] expected = oracle.encode(text, true);
                assertThat(tokenizer.encode(text, true))
                        .as("%s: ids of <%s> %s", Files.readString(file), text, TestTokenizers.escaped(text))
                        .containsExactly(expected);
                int[] ids = random.ints(1 + random.nextInt(10), 0, tokenizer.vocabularySize())
                        .toArray();
                assertThat(tokenizer.decode(ids, false))
                        .as("%s: text of %s", Files.readString(file), Arrays.toString(ids))
                        .isEqualTo(oracle.decode(ids, false));
            }
        }
    }

    private Path tokenizer(String added, String normalizer, String preTokenizer, String decoder, String model)
            throws Exception {
        String json = ("{'version':'1.0','truncation':null,'padding':null,'added_tokens':[" + added + "],'normalizer':"
                        + normalizer + ",'pre_tokenizer':" + preTokenizer + ",'post_processor':null,'decoder':"
                        + decoder + ",'model':" + model + "}")
                .replace('\'', '"');
        return Files.writeString(directory.resolve("tokenizer.json"), json.replace('\0', '\''));
    }

    private static String added(String content, boolean singleWord, boolean left, boolean right, boolean normalized) {
        return "{'id':9999,'content':'" + content + "','single_word':" + singleWord + ",'lstrip':" + left + ",'rstrip':"
                + right + ",'normalized':" + normalized + ",'special':" + (content.length() % 2 == 0) + "}";
    }

    private static String bytesModel() {
        StringBuilder vocabulary = new StringBuilder("'<unk>':0,'▁':1,'a':2,'aa':3");
        IntStream.range(0, 256).forEach(b -> vocabulary.append(String.format(",'<0x%02X>':%d", b, b + 4)));
        return "{'type':'BPE','dropout':null,'unk_token':'<unk>','continuing_subword_prefix':null,'end_of_word_suffix':null,"
                + "'fuse_unk':true,'byte_fallback':true,'vocab':{" + vocabulary + "},'merges':['a a']}";
    }

    /** A JSON string; its quotes and the apostrophes in it survive that all others are exchanged. */
    private static String json(String text) {
        return "'" + text.replace("\\", "\\\\").replace('\'', '\0') + "'";
    }
}
