import Foundation
import GridwalkCore

extension GridwalkError {
    /// What went wrong, in words for programs and for people in both languages.
    public var problem: Problem {
        problemOf(error: self)
    }

    /// Field by field what is at fault, so that a form can show it there; empty for other errors.
    public var fieldProblems: [FieldProblem] {
        if case .InvalidInput(_, let fields) = self { fields } else { [] }
    }
}

extension GridwalkError: LocalizedError {
    /// The sentence for the worker, in the language of the phone.
    public var errorDescription: String? {
        problem.text()
    }
}

extension Problem {
    /// The sentence for the worker: in Chinese where `locale` is Chinese, else in English.
    public func text(in locale: Locale = .current) -> String {
        locale.isChinese ? zh : en
    }
}

extension FieldProblem {
    /// What is wrong with the field: in Chinese where `locale` is Chinese, else in English.
    public func text(in locale: Locale = .current) -> String {
        locale.isChinese ? zh : en
    }
}

extension Locale {
    var isChinese: Bool {
        language.languageCode == .chinese
    }
}
