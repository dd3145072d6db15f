// Front-end code as it is written over the output of graphql-codegen; tsc must find every type right, and only right ones.
import { graphql, useFragment } from "../out/codegen";
import type { FragmentType } from "../out/codegen";
import type { ResultOf, VariablesOf } from "@graphql-typed-document-node/core";

const Balance = graphql(`
  fragment Balance on Member {
    points {
      available
      expiring {
        points
        at
      }
    }
  }
`);

export const Member = graphql(`
  query Member($by: MemberByInput!) {
    member(by: $by) {
      id
      tier {
        name
      }
      ...Balance
    }
  }
`);

export const Redeem = graphql(`
  mutation Redeem($input: RedeemPointsInput!) {
    redeemPoints(input: $input) {
      replayed
      errors {
        __typename
        code
        ... on InsufficientPoints {
          needed
          available
        }
      }
    }
  }
`);

export function available(member: FragmentType<typeof Balance>): number {
  return useFragment(Balance, member).points.available;
}

export function lacking(result: ResultOf<typeof Redeem>): number {
  const [error] = result.redeemPoints?.errors ?? [];
  return error?.__typename === "InsufficientPoints" ? error.needed - error.available : 0;
}

export const named: VariablesOf<typeof Member> = { by: { externalId: "14057" } };

// @ts-expect-error a member is named in exactly one way
export const namedTwice: VariablesOf<typeof Member> = { by: { id: "1", externalId: "14057" } };

// @ts-expect-error what was not asked for is not there
export const unasked = (result: ResultOf<typeof Member>) => result.member?.status;
