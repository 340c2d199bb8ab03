import Testing

@testable import ShadowAlter

@Suite struct ReverseExpressionTests {
    @Test(arguments: [
        ("price=price / 100", "price", "price / 100"), (" a.b =\n b = c ", "a.b", "b = c"),
        ("\"Odd = \"\"name\"\"\".x='='", "\"Odd = \"\"name\"\"\".x", "'='"),
    ])
    func theFirstEqualsSignOutsideOfQuotesDivides(text: String, column: String, expression: String) throws {
        let reverse = try #require(ReverseExpression(text: text))
        #expect(reverse == ReverseExpression(column: column, expression: expression))
    }

    @Test(arguments: ["price", "=1", "price=", "price = ", "\"a=b\"", ""])
    func otherTextIsNone(text: String) {
        #expect(ReverseExpression(text: text) == nil)
    }
}
