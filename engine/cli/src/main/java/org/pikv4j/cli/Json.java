package org.pikv4j.cli;

import com.fasterxml.jackson.annotation.JsonInclude;
import tools.jackson.databind.ObjectMapper;
import tools.jackson.databind.PropertyNamingStrategies;
import tools.jackson.databind.json.JsonMapper;

/**
 * How our programs print JSON: records become objects, {@code timeToFirstToken} becomes {@code time_to_first_token}, and what is
 * empty is left out.
 */
public final class Json {
    private static final ObjectMapper MAPPER = JsonMapper.builder()
            .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
            .changeDefaultPropertyInclusion(inclusion -> inclusion.withValueInclusion(JsonInclude.Include.NON_ABSENT))
            .build();

    private Json() {}

    /**
     * @param value a record, map or list
     * @return it as JSON on one line
     */
    public static String line(Object value) {
        return MAPPER.writeValueAsString(value);
    }

    /**
     * @param value a record, map or list
     * @return it as indented JSON, for files that people open
     */
    public static String indented(Object value) {
        return MAPPER.writerWithDefaultPrettyPrinter().writeValueAsString(value);
    }
}
